"""The lines of docs/legacy-contract.md that every route of one kind keeps."""

READS = [1, 2, 5, 7, 8, 9]
WRITES = [1, 2, 5, 6, 7, 9, 10]
