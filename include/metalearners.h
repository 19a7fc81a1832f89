#ifndef METALEARNERS_H
#define METALEARNERS_H
#endif
