"""The commands behind `./kept`."""
