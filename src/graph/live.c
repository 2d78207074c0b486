/* Debug builds know which graphs live, so that a handle used after its graph was freed gives a status instead of a wild read. */
#include "graph/graph.h"

#ifdef BPI_DEBUG
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bp_graph *first; /* of a list through next_live */
static uint32_t made;

void bpi_graph_born(bp_graph *g)
{
  pthread_mutex_lock(&lock);
  g->next_live = first;
  first = g;
  /* Another graph at the address of a freed one has other serial numbers. */
  g->next_serial += made++ << 20;
  pthread_mutex_unlock(&lock);
}

void bpi_graph_died(bp_graph *g)
{
  pthread_mutex_lock(&lock);
  for (bp_graph **at = &first; *at; at = &(*at)->next_live)
    if (*at == g) {
      *at = g->next_live;
      break;
    }
  pthread_mutex_unlock(&lock);
}

bool bpi_graph_alive(const bp_graph *g)
{
  pthread_mutex_lock(&lock);
  const bp_graph *at = first;
  while (at && at != g)
    at = at->next_live;
  pthread_mutex_unlock(&lock);
  if (!at)
    bpi_fail(BP_E_GRAPH, "a node was used after its graph was freed");
  return at != NULL;
}
#endif
