/* Text as tools/pack-pairs packs it: a byte from 128 on stands for two, each of which may do so again; 0 ends a text. */
#ifndef BPI_PAIRS_H
#define BPI_PAIRS_H

/* Writes what one byte stands for, at most NAME_LONGEST bytes of the table made with these pairs; returns where it ends. */
char *bpi_unpack(const unsigned char (*pairs)[2], unsigned char byte, char *to);

#endif
