"""The vendored protos against the descriptors inside Google's own packages: the same messages, fields and numbers."""

import os

from google.cloud import speech_v2, texttospeech  # noqa: F401 - they register their descriptors
from google.protobuf import descriptor_pb2, descriptor_pool
from google.rpc import error_details_pb2, status_pb2  # noqa: F401

PACKAGES = ("google.cloud.speech.v2", "google.cloud.texttospeech.v1", "google.rpc")
pool = descriptor_pool.Default()
with open(os.environ["DESCRIPTORS"], "rb") as file:
    ours = descriptor_pb2.FileDescriptorSet.FromString(file.read())


def fields(message):
    return {(field.number, field.name, field.type, field.label, field.type_name) for field in message.field}


def compare(name, message):
    """Compares a message and those inside it; gives how many."""
    theirs = descriptor_pb2.DescriptorProto()
    pool.FindMessageTypeByName(name).CopyToProto(theirs)
    assert fields(message) == fields(theirs), (name, fields(message) ^ fields(theirs))
    inside = [nested for nested in message.nested_type if not nested.options.map_entry]
    return 1 + sum(compare(f"{name}.{nested.name}", nested) for nested in inside)


def compare_enums(prefix, holder):
    for enum in holder.enum_type:
        theirs = descriptor_pb2.EnumDescriptorProto()
        pool.FindEnumTypeByName(f"{prefix}.{enum.name}").CopyToProto(theirs)
        values = [{(value.number, value.name) for value in side.value} for side in (enum, theirs)]
        assert values[0] == values[1], (prefix, enum.name, values[0] ^ values[1])
    for message in getattr(holder, "nested_type", ()) or getattr(holder, "message_type", ()):
        compare_enums(f"{prefix}.{message.name}", message)


count = 0
for file in ours.file:
    if file.package in PACKAGES:
        count += sum(compare(f"{file.package}.{message.name}", message) for message in file.message_type)
        compare_enums(file.package, file)
assert count > 100, count
