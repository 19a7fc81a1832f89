/*
 * metalearners.hpp: the C interface of metalearners as C++17, in a header alone.
 *
 *   metalearners::Table table;
 *   table.add("age", age).add("coached", arm).add("score", score);
 *   metalearners::Dataset dataset(table, spec);
 *   metalearners::Model model = metalearners::Model::fit(dataset, spec);
 *   metalearners::Matrix effects = model.predict(table);
 *
 * Every function that fails throws metalearners::Error. Objects own what the library made for them, and share it when they are copied:
 * all of them but Table are immutable, and may be used from any number of threads at once. Specs, requests and answers are JSON, as
 * UTF-8 texts: bindings/schema says what may stand in them. What a name stands for is said in the C headers of the same topic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef METALEARNERS_HPP
#define METALEARNERS_HPP

#include <metalearners.h>

#include "metalearners/cpp/data.hpp"
#include "metalearners/cpp/error.hpp"
#include "metalearners/cpp/execution.hpp"
#include "metalearners/cpp/model.hpp"
#include "metalearners/cpp/study.hpp"

#endif  // METALEARNERS_HPP
