"""Data sets that lie, nest or never end."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.hostile.cases import (
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    Incomplete,
    Opens,
    Refused,
    Undecodable,
    element,
    header,
    hostile,
    image,
    us,
    write,
)

_OPEN_SEQUENCE = element(0x00081140, b"SQ", ITEM + struct.pack("<L", UNDEFINED), UNDEFINED)


@hostile(Refused("nested above the limit"))
def sequences_nested_20_000_deep(folder: Path) -> None:
    write(folder, image(_OPEN_SEQUENCE * 20_000))


@hostile(Opens())
def sequences_of_known_length_nested_deep(folder: Path) -> None:
    inner = b""
    for _ in range(5_000):
        inner = element(0x00081140, b"SQ", ITEM + struct.pack("<L", len(inner)) + inner)
    write(folder, image(inner))


@hostile(Refused("nested above the limit"))
def nested_functional_groups(folder: Path) -> None:
    groups = element(0x52009230, b"SQ", ITEM + struct.pack("<L", UNDEFINED), UNDEFINED)
    write(folder, image(groups * 20_000))


@hostile(Refused("No pixel data"))
def a_text_of_four_gigabytes(folder: Path) -> None:
    write(folder, image(element(0x00091001, b"UT", b"short", 0xFFFFFFF0)))


@hostile(Refused("No pixel data"))
def a_description_that_swallows_the_file(folder: Path) -> None:
    write(folder, image(element(0x00081030, b"LO", b"short", 0xFFFE)))


@hostile(Refused("neither a SOP Class nor an image"))
def bytes_of_undefined_length_without_an_end(folder: Path) -> None:
    write(folder, image(element(0x00091001, b"OB", b"\0" * 64, UNDEFINED)))


@hostile(Refused("No tag to read"))
def unknown_of_undefined_length_without_an_end(folder: Path) -> None:
    write(folder, image(element(0x00091001, b"UN", b"\0" * 64, UNDEFINED)))


@hostile(Refused("Rows"))
def no_rows(folder: Path) -> None:
    write(folder, image(us(0x00280010, 0)))


@hostile(Refused("Rows"))
def rows_in_words(folder: Path) -> None:
    write(folder, image(element(0x00280010, b"LO", b"eight")))


@hostile(Refused("above the limit of 100 megapixels"))
def sixty_five_thousand_rows_and_columns(folder: Path) -> None:
    write(folder, image(us(0x00280010, 65535), us(0x00280011, 65535)))


@hostile(Undecodable("cut short"))
def the_largest_frame_without_its_pixels(folder: Path) -> None:
    write(folder, image(us(0x00280010, 10_000), us(0x00280011, 10_000)))


@hostile(Refused("above the limit of 50,000"))
def two_billion_frames(folder: Path) -> None:
    write(folder, image(element(0x00280008, b"IS", b"2000000000")))


@hostile(Refused("number of frames"))
def minus_one_frame(folder: Path) -> None:
    write(folder, image(element(0x00280008, b"IS", b"-1")))


@hostile(Refused("number of frames"))
def frames_without_number(folder: Path) -> None:
    write(folder, image(element(0x00280008, b"IS", b"NaN")))


@hostile(Undecodable("cut short"))
def more_frames_than_pixels(folder: Path) -> None:
    write(folder, image(element(0x00280008, b"IS", b"40000")))


@hostile(Undecodable("Bits Allocated"))
def seven_bits_allocated(folder: Path) -> None:
    write(folder, image(us(0x00280100, 7)))


@hostile(Undecodable("Bits Allocated"))
def no_bits_allocated(folder: Path) -> None:
    write(folder, image(us(0x00280100, 0), us(0x00280101, 0)))


@hostile(Undecodable("do not fit"))
def more_bits_stored_than_allocated(folder: Path) -> None:
    write(folder, image(us(0x00280101, 60_000)))


@hostile(Opens())
def a_high_bit_far_outside(folder: Path) -> None:
    write(folder, image(us(0x00280101, 12), us(0x00280102, 60_000)))


@hostile(Undecodable("Samples per Pixel"))
def sixty_five_thousand_samples(folder: Path) -> None:
    write(folder, image(us(0x00280002, 65535)))


@hostile(Opens())
def a_window_of_no_width(folder: Path) -> None:
    width = element(0x00281051, b"DS", b"0\\-5\\nan ")
    write(folder, image(element(0x00281050, b"DS", b"40\\1e400\\nan"), width))


@hostile(Opens())
def a_window_beyond_all_numbers(folder: Path) -> None:
    center = element(0x00281050, b"DS", b"1e308 ")
    write(folder, image(center, element(0x00281051, b"DS", b"1e-308")))


@hostile(Opens())
def a_slope_that_is_no_number(folder: Path) -> None:
    write(folder, image(element(0x00281052, b"DS", b"inf "), element(0x00281053, b"DS", b"nan ")))


@hostile(Opens())
def a_slope_beyond_all_numbers(folder: Path) -> None:
    intercept = element(0x00281052, b"DS", b"-1e308")
    write(folder, image(intercept, element(0x00281053, b"DS", b"1e308 ")))


@hostile(Opens())
def a_spacing_of_nothing(folder: Path) -> None:
    write(folder, image(element(0x00280030, b"DS", b"0\\-1e-300")))


@hostile(Opens())
def a_character_set_that_is_none(folder: Path) -> None:
    charset = element(0x00080005, b"CS", b"../../../etc/passwd\\ISO_IR 999")
    write(folder, image(charset, element(0x00100010, b"PN", b"\xff\xfe\x1b$)C\xb1\xe8^\x1b(")))


@hostile(Opens())
def five_hundred_character_sets(folder: Path) -> None:
    charset = element(0x00080005, b"CS", b"\\ISO 2022 IR 149" * 500)
    write(folder, image(charset, element(0x00100010, b"PN", b"\x1b$)C\xb1\xe8=" * 500)))


@hostile(Opens())
def a_name_of_control_characters(folder: Path) -> None:
    name = element(0x00100010, b"PN", b"A\0\n\r\x1b[31m\xe2\x80\xaeevil^\xe2\x80\x8bB=\x07")
    write(folder, image(element(0x00080005, b"CS", b"ISO_IR 192"), name))


@hostile(Opens())
def a_name_of_sixty_thousand_letters(folder: Path) -> None:
    write(folder, image(element(0x00100010, b"PN", b"A" * 60_000)))


@hostile(Opens())
def identifiers_that_are_paths(folder: Path) -> None:
    path = b"../../../../tmp/lightbox_evil"
    tags = (0x00080018, 0x0020000D, 0x0020000E)
    write(folder, image(*(element(tag, b"UI", path) for tag in tags)))


@hostile(Refused("neither a SOP Class nor an image"))
def the_prefix_and_then_text(folder: Path) -> None:
    write(folder, bytes(128) + b"DICM" + b"Dear colleague, this is no image at all. " * 50)


@hostile(Refused("neither a SOP Class nor an image"))
def the_prefix_and_then_nothing_but_ones(folder: Path) -> None:
    write(folder, bytes(128) + b"DICM" + b"\xff" * 4000)


@hostile(Refused("without a data set"))
def cut_inside_the_file_meta_information(folder: Path) -> None:
    write(folder, header()[:180])


@hostile(Refused("without a data set"))
def file_meta_information_and_no_more(folder: Path) -> None:
    write(folder, header(""))


@hostile(Opens())
def a_meta_group_length_of_four_gigabytes(folder: Path) -> None:
    data = bytearray(image())
    data[140:144] = b"\xff" * 4
    write(folder, bytes(data))


@hostile(Undecodable("transfer syntax"))
def a_transfer_syntax_of_its_own(folder: Path) -> None:
    write(folder, image(syntax="1.2.3.4.5.6.7"))


@hostile(Refused("neither a SOP Class nor an image"))
def little_endian_under_the_name_of_big(folder: Path) -> None:
    write(folder, image(syntax="1.2.840.10008.1.2.2"))


@hostile(Opens())
def explicit_under_the_name_of_implicit(folder: Path) -> None:
    write(folder, image(syntax="1.2.840.10008.1.2"))


@hostile(Incomplete())
def a_second_larger_size_behind_the_first(folder: Path) -> None:
    write(folder, image().replace(us(0x00280010, 8), us(0x00280010, 8) + us(0x00280010, 60_000)))


@hostile(Refused("Rows"))
def pixels_before_everything_else(folder: Path) -> None:
    pixels = element(0x7FE00010, b"OW", bytes(128))
    write(folder, header() + pixels + image()[len(header()) :])


@hostile(Opens())
def two_hundred_thousand_private_elements(folder: Path) -> None:
    private = b"".join(element(0x00111000 + n % 0xEFF, b"LO", b"x") for n in range(200_000))
    write(folder, image(private))


@hostile(Opens(frames=3))
def fifty_thousand_empty_functional_groups(folder: Path) -> None:
    items = (ITEM + bytes(4)) * 50_000
    groups = element(0x52009230, b"SQ", items + SEQUENCE_END, UNDEFINED)
    frames = element(0x00280008, b"IS", b"3")
    write(folder, image(groups, frames, element(0x7FE00010, b"OW", bytes(3 * 128))))


@hostile(Refused("No pixel data"))
def an_item_that_ends_a_sequence_elsewhere(folder: Path) -> None:
    sequence = element(0x00081140, b"SQ", ITEM_END + SEQUENCE_END + ITEM, 8)
    write(folder, image(sequence))


_PALETTE = element(0x00280004, b"CS", b"PALETTE COLOR")


@hostile(Undecodable("RedPaletteColorLookupTableDescriptor"))
def a_palette_without_entries(folder: Path) -> None:
    tables = [us(0x00281101 + n, 0, 0, 16) for n in range(3)]
    write(folder, image(_PALETTE, *tables))


@hostile(Undecodable("lookup table of 255 bits"))
def a_palette_of_255_bits_that_begins_outside(folder: Path) -> None:
    tables = [us(0x00281101 + n, 65535, 65535, 255) for n in range(3)]
    data = [element(0x00281201 + n, b"OW", b"\1\2") for n in range(3)]
    write(folder, image(_PALETTE, *tables, *data))


@hostile(Undecodable("segmented palette"))
def a_segmented_palette_that_refers_to_itself(folder: Path) -> None:
    tables = [us(0x00281101 + n, 256, 0, 16) for n in range(3)]
    itself = struct.pack("<HHHH", 2, 60_000, 0, 0) * 200
    data = [element(0x00281221 + n, b"OW", itself) for n in range(3)]
    write(folder, image(_PALETTE, *tables, *data))


@hostile(Undecodable("LUTDescriptor"))
def a_modality_table_without_data(folder: Path) -> None:
    item = us(0x00283002, 65535, 0, 16)
    table = element(0x00283000, b"SQ", ITEM + struct.pack("<L", len(item)) + item)
    write(folder, image(table))


@hostile(Opens())
def a_window_table_without_data(folder: Path) -> None:
    item = us(0x00283002, 65535, 0, 16)
    table = element(0x00283010, b"SQ", ITEM + struct.pack("<L", len(item)) + item)
    write(folder, image(table))


@hostile(Opens())
def no_identifiers_at_all(folder: Path) -> None:
    tags = (0x00080018, 0x0020000D, 0x0020000E)
    write(folder, image(*(element(tag, b"UI") for tag in tags)))
