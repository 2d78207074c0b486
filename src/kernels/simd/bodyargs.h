/* What the text of a body tells, all folded by the compiler, for loops over elements of type T. p may be NULL where no parameter is named. */
#ifndef BPI_BODYARGS_H
#define BPI_BODYARGS_H

#define NAMES(text, what)  (__builtin_strstr(text, what) != NULL)
#define IS_CHEAP(text)     (!NAMES(text, "m_")) /* it calls no function of bodymath.h */
#define PARAMETER(i, text) const T p##i = NAMES(text, "p" #i) ? (T)p[i] : (T)0
#define PARAMETERS(text) \
  (void)p;               \
  PARAMETER(0, text);    \
  PARAMETER(1, text);    \
  PARAMETER(2, text);    \
  (void)p0, (void)p1, (void)p2

#endif
