#!/usr/bin/env python3
"""`uv build --out-dir dist`: a wheel with the commands that a release is tried with, and nothing that they need."""

import sys
import zipfile
from pathlib import Path

NAME = "mini-1.2.3"
COMMANDS = "[console_scripts]\nmesh = mini:main\npublish_manifest = mini:main\n"
FILES = {
    "mini.py": "import sys\n\ndef main():\n    assert sys.argv[1] in ('--version', '--help')\n",
    f"{NAME}.dist-info/METADATA": "Metadata-Version: 2.1\nName: mini\nVersion: 1.2.3\n",
    f"{NAME}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: mini\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{NAME}.dist-info/entry_points.txt": COMMANDS,
}

if __name__ == "__main__":
    folder = Path(sys.argv[sys.argv.index("--out-dir") + 1])
    folder.mkdir()
    with zipfile.ZipFile(folder / f"{NAME}-py3-none-any.whl", "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{NAME}.dist-info/RECORD", "".join(f"{name},,\n" for name in FILES))
