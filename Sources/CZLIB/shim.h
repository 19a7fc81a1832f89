#include <zlib.h>

/* A macro that hands over the version and the size of the structure, which Swift cannot import. */
static inline int mtlr_begin_gzip(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }
