"""`python -m registry_tools` is the command `mesh`."""

from registry_tools.cli.app import mesh

if __name__ == "__main__":
    mesh(prog_name="mesh")
