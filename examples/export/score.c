/* A program that has a model inside: gain.c, which `metalearners export --c --name gain` wrote. */
#include <math.h>
#include <stdio.h>

double gain(const double *x);
int gain_code(int column, const char *level);

int main(void) {
  /* In the order of the comment at the top of gain.c: success_expect, gender, school_urbanicity, school_mindset,
     school_achievement, school_poverty, school_size. */
  double pupil[7] = {6, 0, 0, 0.33, 0.65, 0.22, -0.43};
  int expect;
  pupil[1] = gain_code(1, "2");
  pupil[2] = gain_code(2, "4");
  for (expect = 1; expect <= 7; expect += 2) {
    pupil[0] = expect;
    printf("who expects success at %d of 7 gains %.3f\n", expect, gain(pupil));
  }
  pupil[0] = NAN;
  printf("where nobody asked: %.3f\n", gain(pupil));
  return 0;
}
