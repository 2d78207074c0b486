/* What is asked of every picture of a circuit, beside what is asked of every picture (picture.h). */
#ifndef TESTS_CIRCUIT_CHECK_H
#define TESTS_CIRCUIT_CHECK_H

#include "draw/scene.h"

/* Fails the test where a gate or box overlaps another, a wire runs through one, or a text lies on one that it does not belong to. Frames
 * (dashed) may hold others. Together with picture_is_clear this is all that makes a circuit unreadable. Takes time in proportion to
 * shapes times wires. */
void circuit_is_clear(const bp_picture *p);
/* Gates and boxes, frames included; of a pile, one. */
size_t circuit_nodes(const bp_picture *p);

#endif
