// Runs the cases of bindings/conformance by the wrapper: conformance FOLDER. Prints a line for each, and ends with 1 where one failed.

#include <metalearners.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <set>
#include <sstream>

namespace fs = std::filesystem;
using namespace metalearners;

namespace {

std::string read(const fs::path &path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return text.str();
}

std::vector<std::vector<std::string>> cells(const fs::path &path) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream text(read(path));
    for (std::string line; std::getline(text, line);) {
        rows.emplace_back();
        std::size_t from = 0;
        for (std::size_t end; (end = line.find(',', from)) != std::string::npos; from = end + 1) rows.back().push_back(line.substr(from, end - from));
        rows.back().push_back(line.substr(from));
    }
    return rows;
}

bool number(const std::string &cell, double &value) {
    char *end = nullptr;
    const double read = std::strtod(cell.c_str(), &end);
    if (cell.empty() || *end != '\0') return false;
    value = read;
    return true;
}

Table table(const fs::path &path) {
    const auto rows = cells(path);
    Table made;
    for (std::size_t column = 0; column < rows[0].size(); ++column) {
        std::vector<double> numbers;
        std::vector<std::string> labels;
        bool all = true;
        for (std::size_t row = 1; row < rows.size(); ++row) {
            double value = std::numeric_limits<double>::quiet_NaN();
            labels.push_back(rows[row][column]);
            all = (number(labels.back(), value) || labels.back().empty()) && all;
            numbers.push_back(value);
        }
        if (all) made.add(rows[0][column], std::move(numbers));
        else made.add_labels(rows[0][column], labels);
    }
    return made;
}

/** The numbers of a JSON text, in their order, without those within texts. */
std::vector<double> numbers(const std::string &json) {
    std::vector<double> found;
    for (const char *at = json.c_str(); *at; ++at) {
        if (*at == '"') {
            for (++at; *at && *at != '"'; ++at)
                if (*at == '\\') ++at;
            if (!*at) break;
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            char *end = nullptr;
            found.push_back(std::strtod(at, &end));
            at = end - 1;
        }
    }
    return found;
}

void same(const std::vector<double> &found, const std::vector<double> &expected, const std::string &where) {
    if (found.size() != expected.size())
        throw std::runtime_error(where + ": " + std::to_string(found.size()) + " numbers instead of " + std::to_string(expected.size()));
    for (std::size_t place = 0; place < found.size(); ++place)
        if (!(std::fabs(found[place] - expected[place]) <= 1e-8 + 1e-6 * std::fabs(expected[place])))
            throw std::runtime_error(where + "[" + std::to_string(place) + "]: " + std::to_string(found[place]) + " is not " + std::to_string(expected[place]));
}

std::vector<double> values(const fs::path &path) {
    std::vector<double> made;
    const auto rows = cells(path);
    for (std::size_t row = 1; row < rows.size(); ++row)
        for (const std::string &cell : rows[row]) made.push_back(std::stod(cell));
    return made;
}

/** The parts of a JSON list: requests, which are texts or objects without lists in them, and answers. */
std::vector<std::string> parts(const std::string &json) {
    std::vector<std::string> found;
    int depth = 0;
    bool quoted = false;
    std::string part;
    for (std::size_t at = 0; at < json.size(); ++at) {
        const char mark = json[at];
        if (quoted && mark == '\\') {
            part += mark;
            part += json[++at];
            continue;
        }
        if (mark == '"') quoted = !quoted;
        if (!quoted && (mark == '[' || mark == '{') && depth++ == 0) continue;
        if (!quoted && (mark == ']' || mark == '}')) --depth;
        if (depth == 0 || (!quoted && depth == 1 && mark == ',')) {
            if (part.find_first_not_of(" \n\r\t") != std::string::npos) found.push_back(part);
            part.clear();
            if (depth == 0) break;
            continue;
        }
        part += mark;
    }
    return found;
}

void run(const fs::path &folder) {
    const std::string spec = read(folder / "spec.json");
    const Table data = table(folder / "data.csv");
    if (fs::exists(folder / "error.json")) {
        const std::string expected = read(folder / "error.json");
        try {
            Model::fit(Dataset(data, spec), spec);
        } catch (const Error &error) {
            if (expected.find("\"kind\": \"" + error.kind() + "\"") == std::string::npos ||
                expected.find("\"location\": \"" + error.location().value_or("") + "\"") == std::string::npos)
                throw std::runtime_error(error.kind() + " at " + error.location().value_or("") + " is not " + expected);
            return;
        }
        throw std::runtime_error("no error was thrown");
    }
    const Dataset dataset(data, spec);
    const Model model = Model::fit(dataset, spec);
    same(model.predict(data).values, values(folder / "effects.csv"), "effects");
    same(model.predict_training().values, values(folder / "training.csv"), "training");
    const auto rows = cells(folder / "averages.csv");
    std::size_t place = 1;
    for (const Estimand estimand : {Estimand::ate, Estimand::att})
        for (const AverageEffect &one : model.average_effects(estimand, 0.9)) {
            const auto &row = rows.at(place++);
            if (row[0] != one.arm || row[1] != one.outcome_class.value_or("")) throw std::runtime_error("averages: " + one.arm + " is not " + row[0]);
            same({one.estimate, one.std_error, one.lower, one.upper, one.p_value}, {std::stod(row[3]), std::stod(row[4]), std::stod(row[5]), std::stod(row[6]), std::stod(row[7])}, "averages");
        }
    if (place != rows.size()) throw std::runtime_error("averages: there are more");
    const std::vector<std::string> requests = parts(read(folder / "requests.json")), answers = parts(read(folder / "answers.json"));
    if (requests.size() != answers.size()) throw std::runtime_error("there are not as many answers as requests");
    if (requests.empty()) return;
    const Study study(model, dataset);
    for (std::size_t one = 0; one < requests.size(); ++one) same(numbers(study.run(requests[one]).json()), numbers(answers[one]), "answer " + std::to_string(one));
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 2) {
        std::cerr << "usage: conformance FOLDER\n";
        return 2;
    }
    int failed = 0, done = 0;
    std::set<fs::path> folders;
    for (const auto &entry : fs::directory_iterator(arguments[1])) folders.insert(entry.path());
    for (const fs::path &folder : folders) {
        try {
            run(folder);
            std::cout << "ok the case " << folder.filename().string() << " by the C++ wrapper\n";
            ++done;
        } catch (const std::exception &problem) {
            std::cout << "FAILED the case " << folder.filename().string() << " by the C++ wrapper\n    " << problem.what() << '\n';
            failed = 1;
        }
    }
    return failed || !done;
}
