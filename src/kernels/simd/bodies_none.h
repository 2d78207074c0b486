/* Forgets the body macros, so that bodies.inc can be included again with others. */
#undef REAL_BODY1
#undef REAL_BODY2
#undef REAL_BODY3
#undef NUM_BODY1
#undef NUM_BODY2
#undef TEST_BODY1
#undef TEST_BODY2
#undef BOOL_BODY1
#undef BOOL_BODY2
#undef PICK_BODY3
