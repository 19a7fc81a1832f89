import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// One setting of a nuisance, and how good it is.
public struct NuisanceResult: Sendable {
    /// Which nuisances the setting is of: `outcome` or `propensity`.
    public let role: SearchSpace.Role
    /// What is estimated: "arm outcomes", "marginal outcome", "joint outcome", "propensity".
    public let estimand: String
    /// The base learner.
    public let model: SpecObject
    /// The share of the resource at which it was judged last: 1 but for settings that halving dropped.
    public let resource: Double
    /// Losses on the rows of training, by models that were fitted to them; nil where they were not wanted.
    public let train: NuisanceScores?
    /// Losses on rows that the models have not seen; nil where it could not be fitted.
    public let validation: NuisanceScores?
    /// The seconds of its fits, and how many there were: 0 where they are stages of another setting's.
    public let seconds: Double
    public let fits: Int
    /// Why there is no score.
    public let note: String?
}

/// One candidate, and how good its effects are.
public struct CandidateResult: Sendable {
    /// Its number, in the order in which candidates were made.
    public let number: Int
    /// The learner; nil for one effect for everybody.
    public let learner: LearnerKind?
    /// The base learners of the roles that it has.
    public let models: [SearchSpace.Role: SpecObject]
    /// The share of the resource at which it was judged last.
    public let resource: Double
    /// The score on rows that its models have not seen; nil where it could not be fitted.
    public let score: Double?
    public let stdError: Double?
    /// By how much it is worse than the best, with the standard error of that.
    public let difference: Double?
    public let differenceStdError: Double?
    /// Whether it is worse by one standard error at most.
    public let isClose: Bool
    /// The score on the rows of training, by models that were fitted to them.
    public let trainScore: Double?
    /// The standard deviation of its effects.
    public let spread: Double?
    /// The losses of its nuisances.
    public let nuisances: [SearchSpace.Role: (train: NuisanceScores?, validation: NuisanceScores?)]
    /// The seconds of its own fits, how many there were, and the seconds of predicting and judging.
    public let fitSeconds: Double
    public let fits: Int
    public let scoreSeconds: Double
    /// Why there is no score.
    public let note: String?
}

/// What a search found.
public struct TuningResult: Sendable {
    /// How it was searched.
    public let tuning: TuningSpec
    /// What effects were judged by.
    public let score: TuningSpec.Score
    /// The candidates, the best first, then what has no score.
    public let candidates: [CandidateResult]
    /// The settings of nuisances.
    public let nuisances: [NuisanceResult]
    /// The candidate that was chosen; nil where none but the constant has a score.
    public let best: CandidateResult?
    /// The spec of the chosen candidate, which `MetaLearnerFitter` takes.
    public let bestSpec: MetaLearnerSpec?
    /// The nuisances that all effects were judged with.
    public let scoringModels: [SearchSpace.Role: SpecObject]
    /// How many rows were learned from, and how many held out to judge by; 0 where effects are judged out of fold.
    public let rows: (training: Int, validation: Int)
    /// What was found, in whole sentences.
    public let findings: [String]
    /// What the user should know.
    public let warnings: [String]
    /// Whether every candidate was judged: false where the run was interrupted.
    public let isComplete: Bool
    let dataset: CausalDataset
    let registry: Registry

    /// How many models were fitted: of nuisances, and for candidates.
    public var fits: (nuisances: Int, candidates: Int) {
        (nuisances.reduce(0) { $0 + $1.fits }, candidates.reduce(0) { $0 + $1.fits })
    }

    /// Fits the chosen spec to all rows that were given: held-out ones too where they are a share of the data.
    ///
    /// - Throws: `unsupported` where nothing was chosen, and what `MetaLearnerFitter.fit` throws.
    public func fitBest(_ options: ExecutionOptions = ExecutionOptions()) throws(MetaLearnersError)
        -> CATEModel
    {
        guard let bestSpec else {
            throw MetaLearnersError(
                .unsupported, at: "tuning", "no candidate has a score: there is nothing to fit",
                remedy: candidates.lazy.compactMap(\.note).first ?? "let the search finish")
        }
        var spec = bestSpec
        // (The registry has the plug-ins of the spec already.)
        spec.plugins = []
        return try MetaLearnerFitter(spec, registry: registry).fit(dataset, options)
    }

    // MARK: Tables

    /// The table of candidates: a row each, the best first.
    public var table: ResultTable {
        let parameters = Dictionary(
            uniqueKeysWithValues: SearchSpace.Role.allCases.map { role in
                (role, Self.keys(candidates.compactMap { $0.models[role] }))
            })
        var columns: [ResultTable.Column] = [
            .init("rank", "rank", .count), .init("candidate", "candidate", .count),
            .init("learner", "learner", .text),
        ]
        for role in SearchSpace.Role.allCases {
            columns.append(.init(role.rawValue, role.rawValue, .text))
            columns += (parameters[role] ?? []).map { .init("\(role.rawValue)_\($0)", $0, .text) }
        }
        columns += [
            .init("resource", "resource", .number), .init(score.rawValue, scoreTitle, .number),
            .init("std_error", "std. error", .number), .init("difference", "worse by", .number),
            .init("difference_std_error", "std. error", .number),
            .init("within_one_std_error", "close", .text),
            .init("train_\(score.rawValue)", "in training", .number),
            .init("std_dev_effect", "std. dev. of effects", .number),
        ]
        for role in [SearchSpace.Role.outcome, .propensity] {
            for part in ["", "train_"] {
                for key in ["rmse", "log_loss", "brier"] {
                    columns.append(.init("\(part)\(role.rawValue)_\(key)", key, .number))
                }
            }
        }
        columns += [
            .init("fits", "fits", .count), .init("fit_seconds", "fitted in s", .number),
            .init("score_seconds", "judged in s", .number), .init("note", "note", .text),
        ]
        var table = ResultTable("candidates", "Candidates, the best first", columns)
        for (rank, candidate) in candidates.enumerated() {
            table.append(cells(candidate, rank: candidate.score == nil ? nil : rank + 1, parameters))
        }
        return table
    }

    private var scoreTitle: String {
        switch score {
        case .auto, .rLoss: "R-loss"
        case .drLoss: "DR-loss"
        case .xLoss: "X-loss"
        case .rate: "AUTOC"
        }
    }

    private func cells(
        _ candidate: CandidateResult, rank: Int?, _ parameters: [SearchSpace.Role: [String]]
    ) -> [SpecValue] {
        func number(_ value: Double?) -> SpecValue { value.map { .number($0) } ?? .null }
        var cells: [SpecValue] = [
            rank.map { .integer($0) } ?? .null, .integer(candidate.number),
            .string(candidate.learner?.rawValue ?? "constant"),
        ]
        for role in SearchSpace.Role.allCases {
            let model = candidate.models[role]
            cells.append(model?["backend"] ?? .null)
            for key in parameters[role] ?? [] {
                switch model?[key] {
                case .some(.object(let object)): cells.append(.string(SpecValue.object(object).json()))
                case .some(.array(let list)): cells.append(.string(SpecValue.array(list).json()))
                case .some(let value): cells.append(value)
                case nil: cells.append(.null)
                }
            }
        }
        cells += [
            .number(candidate.resource), number(candidate.score), number(candidate.stdError),
            number(candidate.difference), number(candidate.differenceStdError),
            .boolean(candidate.isClose), number(candidate.trainScore), number(candidate.spread),
        ]
        for role in [SearchSpace.Role.outcome, .propensity] {
            for scores in [candidate.nuisances[role]?.validation, candidate.nuisances[role]?.train] {
                cells += [number(scores?.rmse), number(scores?.logLoss), number(scores?.brier)]
            }
        }
        return cells + [
            .integer(candidate.fits), .number(candidate.fitSeconds), .number(candidate.scoreSeconds),
            candidate.note.map { .string($0) } ?? .null,
        ]
    }

    /// The best candidates for people: with the settings that differ between candidates.
    package func shortTable(_ limit: Int) -> ResultTable {
        let varied = SearchSpace.Role.allCases.filter { role in
            var seen: [SpecObject] = []
            for candidate in candidates {
                if let model = candidate.models[role], !seen.contains(model) { seen.append(model) }
            }
            return seen.count > 1
        }
        var columns: [ResultTable.Column] = [
            .init("rank", "rank", .count), .init("learner", "learner", .text),
        ]
        columns += varied.map { .init($0.rawValue, $0.rawValue, .text) }
        columns += [
            .init(score.rawValue, scoreTitle, .number), .init("difference", "worse by", .number),
            .init("difference_std_error", "std. error", .number),
            .init("train", "in training", .number), .init("spread", "std. dev. of effects", .number),
            .init("note", "note", .text),
        ]
        let shown = min(limit, candidates.count)
        var table = ResultTable(
            "candidates",
            shown < candidates.count ? "The best \(shown) of \(candidates.count) candidates" : "Candidates",
            columns)
        func number(_ value: Double?) -> SpecValue { value.map { .number($0) } ?? .null }
        for (rank, candidate) in candidates.enumerated() {
            // One effect for everybody is always worth seeing.
            guard rank < limit || candidate.learner == nil else { continue }
            var cells: [SpecValue] = [
                candidate.score == nil ? .null : .integer(rank + 1),
                .string(candidate.learner?.rawValue ?? "constant"),
            ]
            cells += varied.map { role in
                candidate.models[role].map {
                    .string(Self.text($0, Self.varied(candidates.compactMap { $0.models[role] })))
                } ?? .null
            }
            cells += [
                number(candidate.score), number(candidate.difference), number(candidate.differenceStdError),
                number(candidate.trainScore), number(candidate.spread),
                candidate.note.map { .string($0) } ?? .null,
            ]
            table.append(cells)
        }
        return table
    }

    /// The best settings of nuisances for people.
    package func shortNuisanceTable(_ limit: Int) -> ResultTable {
        var table = ResultTable(
            "nuisances", "Nuisances by their own losses, each estimand from the best",
            [
                .init("estimand", "estimand", .text), .init("model", "base learner", .text),
                .init("rmse", "RMSE", .number), .init("log_loss", "log loss", .number),
                .init("train_rmse", "RMSE in training", .number), .init("note", "note", .text),
            ])
        func number(_ value: Double?) -> SpecValue { value.map { .number($0) } ?? .null }
        var estimands: [String] = []
        for nuisance in nuisances where !estimands.contains(nuisance.estimand) {
            estimands.append(nuisance.estimand)
        }
        for estimand in estimands {
            let own = nuisances.filter { $0.estimand == estimand }
            let losses = own.map { $0.validation?.value(tuning.nuisanceScore) ?? .infinity }
            let order = own.indices.sorted {
                (-own[$0].resource, losses[$0], $0) < (-own[$1].resource, losses[$1], $1)
            }
            let varied = Self.varied(own.map(\.model))
            for index in order.prefix(limit) {
                let nuisance = own[index]
                table.append([
                    .string(estimand), .string(Self.text(nuisance.model, varied)),
                    number(nuisance.validation?.rmse),
                    number(nuisance.validation?.logLoss), number(nuisance.train?.rmse),
                    nuisance.note.map { .string($0) } ?? .null,
                ])
            }
        }
        return table
    }

    /// The keys in which models differ, `backend` among them.
    private static func varied(_ models: [SpecObject]) -> [String] {
        (["backend"] + keys(models)).filter { key in models.contains { $0[key] != models[0][key] } }
    }

    /// A base learner in a few words: what differs between models, as in "trees 100, max_depth 5".
    private static func text(_ model: SpecObject, _ varied: [String]) -> String {
        let shown = varied.isEmpty ? ["backend"] : varied
        return shown.compactMap { key in
            guard let value = model[key] else { return nil }
            return key == "backend" ? value.stringValue : "\(key) \(value.json())"
        }.joined(separator: ", ")
    }

    /// The table of nuisances: a row for each setting.
    public var nuisanceTable: ResultTable {
        let keys = Self.keys(nuisances.map(\.model))
        var table = ResultTable(
            "nuisances", "Nuisances by their own losses",
            [
                .init("role", "role", .text), .init("estimand", "estimand", .text),
                .init("backend", "base learner", .text),
            ] + keys.map { .init($0, $0, .text) } + [
                .init("resource", "resource", .number), .init("rmse", "RMSE", .number),
                .init("log_loss", "log loss", .number), .init("brier", "Brier", .number),
                .init("train_rmse", "RMSE in training", .number),
                .init("train_log_loss", "log loss in training", .number),
                .init("train_brier", "Brier in training", .number), .init("fits", "fits", .count),
                .init("fit_seconds", "fitted in s", .number), .init("note", "note", .text),
            ])
        for nuisance in nuisances {
            func number(_ value: Double?) -> SpecValue { value.map { .number($0) } ?? .null }
            var cells: [SpecValue] = [
                .string(nuisance.role.rawValue), .string(nuisance.estimand),
                nuisance.model["backend"] ?? .null,
            ]
            cells += keys.map { nuisance.model[$0] ?? .null }
            cells.append(.number(nuisance.resource))
            for scores in [nuisance.validation, nuisance.train] {
                cells += [number(scores?.rmse), number(scores?.logLoss), number(scores?.brier)]
            }
            table.append(
                cells + [
                    .integer(nuisance.fits), .number(nuisance.seconds),
                    nuisance.note.map { .string($0) } ?? .null,
                ])
        }
        return table
    }

    /// The parameters that any of the models states, in the order in which they come.
    private static func keys(_ models: [SpecObject]) -> [String] {
        var keys: [String] = []
        for model in models {
            for key in model.keys where key != "backend" && !keys.contains(key) { keys.append(key) }
        }
        return keys
    }

    /// Everything as results have it.
    public var specValue: SpecValue {
        func models(_ models: [SearchSpace.Role: SpecObject]) -> SpecValue {
            .object(
                SpecObject(
                    SearchSpace.Role.allCases.compactMap { role in
                        models[role].map { (role.rawValue, SpecValue.object($0)) }
                    }))
        }
        return [
            "findings": .array(findings.map { .string($0) }), "score": .string(score.rawValue),
            "larger_is_better": .boolean(score == .rate), "rows": .integer(rows.training),
            "validation_rows": .integer(rows.validation), "candidates": table.specValue,
            "nuisances": nuisanceTable.specValue, "scoring_models": models(scoringModels),
            "best": best.map { ["candidate": .integer($0.number), "models": models($0.models)] } ?? .null,
            "best_spec": bestSpec.map { .object($0.archivedValue) } ?? .null,
            "fits": ["nuisances": .integer(fits.nuisances), "candidates": .integer(fits.candidates)],
            "tuning": tuning.specValue, "complete": .boolean(isComplete),
            "warnings": .array(warnings.map { .string($0) }),
        ]
    }
}
