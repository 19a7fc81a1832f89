/*
 * Studies and the answers of analyses. Part of metalearners.hpp.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef METALEARNERS_CPP_STUDY_HPP
#define METALEARNERS_CPP_STUDY_HPP

#include "model.hpp"
#include <metalearners/analysis.h>

#include <array>

namespace metalearners {

// ------------------------------------------------------------------------------------------------- Studies

/** The answer of an analysis. */
class Answer {
public:
    /** Findings in whole sentences, tables, assumptions, warnings, as JSON. */
    std::string json() const { return mtlr_analysis_json(handle_.get()); }
    std::vector<std::string> column_names() const {
        std::vector<std::string> made;
        for (std::int64_t place = 0; place < mtlr_analysis_column_count(handle_.get()); ++place)
            made.emplace_back(mtlr_analysis_column_name(handle_.get(), place));
        return made;
    }
    /** A number for each row of the study: ranks, decisions. */
    std::vector<double> column(std::size_t place) const {
        std::vector<double> made(rows_);
        detail::call(mtlr_analysis_column, made.data(), static_cast<std::int64_t>(rows_), static_cast<const mtlr_analysis *>(handle_.get()),
                     static_cast<std::int64_t>(place));
        return made;
    }

private:
    friend class Study;
    Answer(std::shared_ptr<mtlr_analysis> handle, std::size_t rows) : handle_(std::move(handle)), rows_(rows) {}
    std::shared_ptr<mtlr_analysis> handle_;
    std::size_t rows_;
};

/** Effects and nuisances that were computed elsewhere, by rows: what is empty is not given. The numbers stay the caller's. */
struct Estimates {
    span<const double> effects{}, propensities{}, arm_means{}, true_effects{};
    std::string source{}, outcome_class{};
};

/** Rows with their arms and outcomes, and what is known or estimated of each: what every analysis asks. */
class Study {
public:
    /** Of a fitted model and its rows. */
    Study(const Model &model, const Dataset &dataset, const Execution &execution = {})
        : dataset_(std::make_shared<Dataset>(dataset)), handle_(detail::Running(execution).make<mtlr_study>(mtlr_study_free, mtlr_study_create, model.get(), dataset.get(),
                                                              static_cast<const mtlr_estimates *>(nullptr))) {}
    /** Of a fitted model without covariates, which some analyses need. */
    explicit Study(const Model &model, const Execution &execution = {})
        : handle_(detail::Running(execution).make<mtlr_study>(mtlr_study_free, mtlr_study_create, model.get(), static_cast<const mtlr_dataset *>(nullptr),
                                                              static_cast<const mtlr_estimates *>(nullptr))) {}
    /** Of rows whose effects were computed elsewhere; propensities and arm means are fitted by the spec where they are not given. */
    Study(const Dataset &dataset, const std::string &spec, const Estimates &given = {}, const Execution &execution = {})
        : dataset_(std::make_shared<Dataset>(dataset)) {
        mtlr_estimates estimates = MTLR_ESTIMATES_INIT;
        std::array<mtlr_matrix, 4> matrices{};
        const auto rows = static_cast<std::size_t>(dataset.rows());
        const auto matrix = [&](std::size_t place, span<const double> values, const char *name) -> const mtlr_matrix * {
            if (values.empty()) return nullptr;
            if (rows == 0 || values.size() % rows) detail::refuse("is no multiple of the rows", name, "pass the same count of numbers for each row");
            matrices[place] = mtlr_matrix{values.data(), static_cast<std::int64_t>(rows), static_cast<std::int64_t>(values.size() / rows), 0, 0, MTLR_FLOAT64, 0};
            return &matrices[place];
        };
        estimates.effects = matrix(0, given.effects, "effects");
        estimates.propensities = matrix(1, given.propensities, "propensities");
        estimates.arm_means = matrix(2, given.arm_means, "arm_means");
        estimates.true_effects = matrix(3, given.true_effects, "true_effects");
        estimates.source = given.source.empty() ? nullptr : given.source.c_str();
        estimates.outcome_class = given.outcome_class.empty() ? nullptr : given.outcome_class.c_str();
        handle_ = detail::Running(execution).make<mtlr_study>(mtlr_study_free, mtlr_study_create_from_dataset, dataset.get(), spec.c_str(),
                                                              static_cast<const mtlr_estimates *>(&estimates));
    }

    std::size_t rows() const noexcept { return static_cast<std::size_t>(mtlr_study_rows(get())); }
    std::vector<std::string> column_names() const { return detail::texts(detail::text(mtlr_study_column_names, get())); }
    /** What is worth knowing and no error: of the data, and of the fit that the study is of. On rows that the model was not fitted to, what the
        fit warned of begins with "of the fit: ". */
    std::vector<std::string> warnings() const { return detail::texts(detail::text(mtlr_study_warnings, get())); }
    std::vector<double> column(const std::string &name) const {
        std::vector<double> made(rows());
        detail::call(mtlr_study_column, made.data(), static_cast<std::int64_t>(made.size()), get(), name.c_str());
        return made;
    }
    /** Asks a question. Rankings and policies take more of the outcome for better: where less is better (churn, deaths, costs) fit the negative,
        or 1 - outcome where it is 0 or 1. @param request JSON: {"analysis": NAME, options}, or "NAME" in quotes. */
    Answer run(const std::string &request, const Execution &execution = {}) const {
        return Answer(detail::Running(execution).make<mtlr_analysis>(mtlr_analysis_free, mtlr_analysis_run, get(), request.c_str()), rows());
    }
    /** Everything on one HTML page. @param requests JSON: a list of requests; empty for all that are possible. */
    std::string report(const std::string &requests = "", const Execution &execution = {}) const {
        char *page = nullptr;
        detail::Running running(execution);
        running(mtlr_study_report, &page, get(), requests.empty() ? static_cast<const char *>(nullptr) : requests.c_str());
        std::string text = detail::take(page);
        running.finish();
        return text;
    }
    const mtlr_study *get() const noexcept { return handle_.get(); }

private:
    // Freed after the handle, which may point into its numbers; null where there are no covariates.
    std::shared_ptr<Dataset> dataset_;
    std::shared_ptr<mtlr_study> handle_;
};

}  // namespace metalearners

#endif  // METALEARNERS_CPP_STUDY_HPP
