/* A network that starts from a trained one. */
#ifndef BPI_STARTFROM_H
#define BPI_STARTFROM_H

#include "train/net.h"

/* Whether d asks for the answers that `from` gives: the same classes, or as many numbers. */
bool bpi_same_answers(const bp_net *from, const bp_data *d);
/* The encoding of its columns, which d must have: BP_E_MISMATCH. */
bp_status bpi_start_encoding(bp_net *net, const bp_net *from, const bp_data *d);
/* How its targets are scaled; of the same answers. */
bp_status bpi_start_targets(bp_net *net, const bp_net *from);
/* Its layers; but for the last, where the answers are others. */
bp_status bpi_start_layers(bp_net *net, const bp_net *from, bool same);
/* Its weights, of every parameter that both have in one shape, but for that layer. */
bp_status bpi_start_weights(bp_net *net, const bp_net *from, bool same);

#endif
