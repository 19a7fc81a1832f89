/* A shared library that is no plug-in. */
int mtlr_empty(void);
int mtlr_empty(void) { return 0; }
