/* What is asked of every picture: texts touch neither one another nor wires nor the edge. */
#ifndef TESTS_PICTURE_H
#define TESTS_PICTURE_H

#include "draw/scene.h"

/* Fails the test, and says which, where two texts overlap, a wire (look.wire) or its width runs through a text, or a text leaves the picture.
 * With the metrics of the font that the SVG names first; `slack` is how much boxes may overlap. */
void picture_is_clear(const bp_picture *p, double slack);
/* The number of texts, and of those that say exactly `text`. */
size_t picture_texts(const bp_picture *p);
size_t picture_says(const bp_picture *p, const char *text);
/* Fails unless the picture's SVG, light and dark, is the file tests/golden/pictures/NAME.svg and NAME-dark.svg byte for byte. With
 * BPROP_GOLDEN=write in the environment the files are written instead. */
void picture_is_golden(const bp_picture *p, const char *name);

#endif
