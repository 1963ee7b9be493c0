"""The messages of TensorFlow's records and label maps, made from their published definitions.

tensorflow/core/example/example.proto, feature.proto (proto3) and
object_detection/protos/string_int_label_map.proto (proto2), as far as they are used here.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_REPEATED, _OPTIONAL = _Field.LABEL_REPEATED, _Field.LABEL_OPTIONAL


def _example_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="lightbox_example.proto", package="tensorflow", syntax="proto3"
    )
    for name, kind in (
        ("BytesList", _Field.TYPE_BYTES),
        ("FloatList", _Field.TYPE_FLOAT),
        ("Int64List", _Field.TYPE_INT64),
    ):
        file.message_type.add(name=name).field.add(
            name="value", number=1, label=_REPEATED, type=kind
        )
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("bytes_list", "float_list", "int64_list"), start=1):
        kind_name = "".join(part.capitalize() for part in name.split("_"))
        feature.field.add(
            name=name, number=number, label=_OPTIONAL, type=_Field.TYPE_MESSAGE,
            type_name=f".tensorflow.{kind_name}", oneof_index=0,
        )  # fmt: skip
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_OPTIONAL, type=_Field.TYPE_STRING)
    entry.field.add(
        name="value", number=2, label=_OPTIONAL, type=_Field.TYPE_MESSAGE,
        type_name=".tensorflow.Feature",
    )  # fmt: skip
    features.field.add(
        name="feature", number=1, label=_REPEATED, type=_Field.TYPE_MESSAGE,
        type_name=".tensorflow.Features.FeatureEntry",
    )  # fmt: skip
    file.message_type.add(name="Example").field.add(
        name="features", number=1, label=_OPTIONAL, type=_Field.TYPE_MESSAGE,
        type_name=".tensorflow.Features",
    )  # fmt: skip
    return file


def _label_map_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="lightbox_label_map.proto", package="object_detection.protos", syntax="proto2"
    )
    item = file.message_type.add(name="StringIntLabelMapItem")
    item.field.add(name="name", number=1, label=_OPTIONAL, type=_Field.TYPE_STRING)
    item.field.add(name="id", number=2, label=_OPTIONAL, type=_Field.TYPE_INT32)
    item.field.add(name="display_name", number=3, label=_OPTIONAL, type=_Field.TYPE_STRING)
    file.message_type.add(name="StringIntLabelMap").field.add(
        name="item", number=1, label=_REPEATED, type=_Field.TYPE_MESSAGE,
        type_name=".object_detection.protos.StringIntLabelMapItem",
    )  # fmt: skip
    return file


# A pool of our own: another package may have brought the same messages into the common one.
_pool = descriptor_pool.DescriptorPool()
_pool.Add(_example_file())
_pool.Add(_label_map_file())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))


Example = _message("tensorflow.Example")
StringIntLabelMap = _message("object_detection.protos.StringIntLabelMap")
