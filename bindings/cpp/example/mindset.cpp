// Whom does coaching help? 10,391 pupils of 76 schools, a DR-learner, and what the effects are worth.
//
//   c++ -std=c++17 mindset.cpp $(pkg-config --cflags --libs metalearners) -o mindset && ./mindset examples/data/learning_mindset.csv

#include <metalearners.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

int main(int count, char **arguments) try {
    std::ifstream file(count > 1 ? arguments[1] : "examples/data/learning_mindset.csv");
    std::string line, cell;
    std::vector<std::string> names;
    if (!std::getline(file, line)) throw std::runtime_error("pass the path of learning_mindset.csv");
    for (std::istringstream header(line); std::getline(header, cell, ',');) names.push_back(cell);
    std::vector<std::vector<std::string>> cells(names.size());
    while (std::getline(file, line)) {
        std::istringstream row(line);
        for (auto &column : cells) std::getline(row, cell, ','), column.push_back(cell);
    }

    // Numbers are moved into the table; labels become a category, whose levels the model remembers.
    const std::set<std::string> categories{"schoolid", "ethnicity", "gender", "frst_in_family", "school_urbanicity"};
    metalearners::Table pupils;
    for (std::size_t place = 0; place < names.size(); ++place) {
        if (categories.count(names[place])) {
            pupils.add_labels(names[place], cells[place]);
        } else {
            std::vector<double> numbers;
            for (const std::string &one : cells[place]) numbers.push_back(std::stod(one));
            pupils.add(names[place], std::move(numbers));
        }
    }

    const std::string spec = R"({"learner": "dr", "seed": 1,
        "data": {"treatment": "intervention", "outcome": "achievement_score", "cluster": "schoolid"},
        "models": {"outcome": "ridge", "propensity": "logistic", "effect": "ridge"}})";
    const metalearners::Dataset dataset(pupils, spec, metalearners::Memory::borrow);
    const metalearners::Model model = metalearners::Model::fit(dataset, spec);

    const metalearners::AverageEffect ate = model.average_effects().front();
    std::printf("average effect %.2f, from %.2f to %.2f\n", ate.estimate, ate.lower, ate.upper);
    const metalearners::Matrix effects = model.predict(pupils);
    std::printf("effect of the first pupil %.2f\n", effects(0, 0));
    const metalearners::Study study(model, dataset);
    const std::string answer = study.run(R"({"analysis": "calibration_test"})").json();
    std::printf("the answer of an analysis has %s\n", answer.find("differential_prediction") != std::string::npos ? "what was asked" : "nothing");
    model.save("mindset.model");
    std::printf("a model that was read again predicts the same: %s\n",
                metalearners::Model::load("mindset.model").predict(pupils).values == effects.values ? "yes" : "no");
} catch (const std::exception &error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
}
