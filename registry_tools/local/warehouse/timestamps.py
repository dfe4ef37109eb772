"""Arrow timestamps in, Snowflake's structs out, with the nulls that fakesnow loses on the way."""

import fakesnow.arrow
import pyarrow as pa
import pyarrow.compute as pc

_to_struct = fakesnow.arrow.timestamp_to_sf_struct


def keep_nulls() -> None:
    """Makes fakesnow's answers carry NULL timestamps. Without, a client reads 1970-01-01: the struct is built from its
    fields alone and so is never null itself. `dbt_valid_to` of every current snapshot row is such a NULL.
    """
    fakesnow.arrow.timestamp_to_sf_struct = _to_struct_with_nulls  # type: ignore[assignment]  # on purpose


def _to_struct_with_nulls(timestamps: pa.Array | pa.ChunkedArray) -> pa.Array:
    struct = _to_struct(timestamps)
    whole = timestamps.combine_chunks() if isinstance(timestamps, pa.ChunkedArray) else timestamps
    # A field that is declared as not null must hold something, even where the struct around it is null.
    fields = [pc.fill_null(field, 0) for field in struct.flatten()]
    return pa.StructArray.from_arrays(fields, fields=list(struct.type), mask=pc.is_null(whole))
