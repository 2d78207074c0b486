/* Lines along which a field has one value. */
#ifndef BPI_CONTOUR_H
#define BPI_CONTOUR_H

#include "draw/scene.h"

/** Draws the lines of value `level` of a field given at the corners of a grid: field[row * cols + col], rows from the top, which lie evenly
 *  over the box, edges included. A cell with a corner that is not finite has no line. Marching squares (Lorensen & Cline 1987, in the plane);
 *  pieces are joined to lines as long as they go. */
void bpi_draw_contour(bp_picture *p, bpi_look look, bpi_box box, const double *field, int cols, int rows,
                      double level);

#endif
