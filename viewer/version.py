"""The version of the program, as it is written into everything that it makes."""

VERSION = "0.1.0"
