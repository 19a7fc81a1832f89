#ifndef MTLK_EXPONENTIAL_H
#define MTLK_EXPONENTIAL_H

/* The exponential function, the same number on every processor. FP_CONTRACT is off for this function here, and
   in files that include this for what they compute themselves. */

#include "dispatch.h"

#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

/* Added to a number below 2^51 it leaves the nearest integer in the low bits. */
#define ROUNDER 0x1.8p52

/* e^x for |x| up to 700 with a relative error below 10^-11: e^x = 2^k e^r with |r| at most ln 2 / 2, and the series of
   e^r. That is a fiftieth of the finest grid that gradients are rounded to, and moves the probability with which a split
   is drawn from a posterior by as little. Without branches, so that the compiler makes vectors of it. */
INLINE double exponential(double x) {
  x = x < 700 ? x : 700;
  x = x > -700 ? x : -700;
  const double shifted = x * 0x1.71547652b82fep0 + ROUNDER;
  const double k = shifted - ROUNDER;
  const double r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
  double sum = 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  uint64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return sum * power;
}

#endif
