/* For a table with a row for each body, to be followed by bodies.inc: BODY_NAME(name, S) is the function for element type S. */
#define REAL_ROW(name) [BPI_BODY_##name] = {.f32 = BODY_NAME(name, f32), .f64 = BODY_NAME(name, f64)},
#define NUM_ROW(name) \
  [BPI_BODY_##name] = {.f32 = BODY_NAME(name, f32), .f64 = BODY_NAME(name, f64), .i64 = BODY_NAME(name, i64)},
#define BOOL_ROW(name) [BPI_BODY_##name] = {.b8 = BODY_NAME(name, b8)},
#define FULL_ROW(name)                              \
  [BPI_BODY_##name] = {.f32 = BODY_NAME(name, f32), \
                       .f64 = BODY_NAME(name, f64), \
                       .i64 = BODY_NAME(name, i64), \
                       .b8 = BODY_NAME(name, b8)},
#define REAL_BODY1(name, ...) REAL_ROW(name)
#define REAL_BODY2(name, ...) REAL_ROW(name)
#define REAL_BODY3(name, ...) REAL_ROW(name)
#define NUM_BODY1(name, ...)  NUM_ROW(name)
#define NUM_BODY2(name, ...)  NUM_ROW(name)
#define TEST_BODY1(name, ...) NUM_ROW(name)
#define TEST_BODY2(name, ...) FULL_ROW(name)
#define BOOL_BODY1(name, ...) BOOL_ROW(name)
#define BOOL_BODY2(name, ...) BOOL_ROW(name)
#define PICK_BODY3(name, ...) FULL_ROW(name)
