import MetaLearners
import MetaLearnersCore

/// Several learners on several base learners, side by side: averages, losses on one set of nuisances, agreement, time.
///
/// Each pair is fitted with the spec's propensity model; the outcome and effect models are those of the base learner. What one fit
/// has of nuisances the next takes over. All are judged by the study's own nuisances, by out-of-fold effects:
///
/// - DR-loss: the mean over arms of E[(ψ_k − τ_k)²], ψ_k = Γ_k − Γ_0 (Kennedy 2023).
/// - R-loss: E[(Y − m − Σ_k (1{W=k} − e_k) τ_k)²], m = Σ_k e_k μ_k (Nie & Wager 2021).
public struct CompareAnalysis: Analysis {
    public static let name = "compare"
    public static let title = "Learners side by side"
    public static let summary =
        "Do other learners on other base learners find the same effects, and which loses least?"
    public static let topic = AnalysisTopic.evaluation
    public static let runsByDefault = false
    public static let parameters: [Parameter<CompareAnalysis>] = [
        .texts("learners", \.learners, "the learners"),
        .texts(
            "backends", \.backends,
            "base learners of outcomes and effects, each for every learner but auto; the spec's own where empty"
        ),
        .level(\.level),
    ]

    /// The learners.
    public var learners = ["s", "t", "x", "r", "dr"]
    /// The base learners.
    public var backends: [String] = []
    /// The level of intervals.
    public var level = AverageEffect.standardLevel

    public init() {}

    public var needs: StudyParts { [.fitting, .scores] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        guard let fitting = study.fitting else { return emptyResult }
        let candidates = try candidates(fitting)
        let losses = try ComparisonLosses(study)
        var result = emptyResult
        var fits: [Fit] = []
        var notes: [(Candidate, String)] = []
        var known: [String: NuisanceFit] = [:]
        for candidate in candidates {
            do throws(MetaLearnersError) {
                try scheduler.context.checkCancellation()
                let start = ContinuousClock().now
                let labels = study.armLabels
                // What was fitted with these base learners; the propensity is the same for all.
                let before = [known[candidate.backend], known.values.first, fitting.nuisances].compactMap(
                    \.self)
                let reused = before.map { candidate.fitter.reusable($0, labels) }.first { !$0.roles.isEmpty }
                let model = try candidate.fitter.fit(
                    fitting.dataset, nuisances: reused, scheduler.innerOptions)
                let (seconds, attoseconds) = (ContinuousClock().now - start).components
                if candidate.fitter.bringsModels == false, let nuisances = model.nuisances {
                    known[candidate.backend] = nuisances
                }
                let width = model.outcomeKind.effectCount
                let effects = stride(
                    from: fitting.outcomeClass ?? 0, to: model.trainingEffects.count, by: width
                )
                .map { model.trainingEffects[$0] }
                let averages = try model.averageEffects(.ate, level: level, scheduler.innerOptions).filter {
                    $0.classIndex == fitting.outcomeClass
                }
                fits.append(
                    Fit(
                        candidate: candidate, effects: effects, averages: averages,
                        seconds: Double(seconds) + Double(attoseconds) * 1e-18))
            } catch {
                guard error.kind != .cancelled else {
                    if fits.isEmpty { throw error }
                    result.isComplete = false
                    break
                }
                notes.append((candidate, error.description))
            }
        }
        if let first = notes.first, fits.isEmpty {
            throw MetaLearnersError(.unsupported, at: "learners", "none could be fitted: \(first.1)")
        }
        let table = losses.table(fits, notes, level: level)
        result.tables = [table, averages(fits), agreement(fits, study, losses.weights)]
        result.charts = [chart(fits)]
        result.findings = findings(fits, table, study, losses.weights)
        result.assumptions = [
            Assumption.noConfounding,
            "The losses compare effects on one set of nuisances: they are right up to a constant that is the same for all, and noisy where the nuisances are poor.",
        ]
        return result
    }

    /// Every learner on every base learner.
    private func candidates(_ fitting: StudyFitting) throws(MetaLearnersError) -> [Candidate] {
        guard !learners.isEmpty else {
            throw MetaLearnersError(.invalidSpec, at: "learners", "there is none to compare")
        }
        let place = SpecPath.root.appending("learners")
        let crossFitting = fitting.fitter.spec.crossFitting
        guard crossFitting.inSample != .full, crossFitting.foldCount > 1 else {
            throw MetaLearnersError(
                .unsupported,
                at: crossFitting.inSample == .full ? "cross_fitting.in_sample" : "cross_fitting.folds",
                crossFitting.inSample == .full
                    ? "is 'full', and learners are compared out of fold"
                    : "is 1, and learners are compared out of fold",
                remedy: "use in_sample: out_of_fold and two folds or more")
        }
        var candidates: [Candidate] = []
        for name in learners {
            let kind = try fitting.registry.learnerKind(named: name, at: place)
            let bringsModels = fitting.registry.traits(of: kind)?.bringsModels == true
            for backend in backends.isEmpty || bringsModels ? [""] : backends {
                guard !candidates.contains(where: { $0.learner == kind.rawValue && $0.backend == backend })
                else {
                    continue
                }
                var value = fitting.fitter.spec.specValue.objectValue ?? SpecObject()
                value["learner"] = .string(kind.rawValue)
                if bringsModels { value["models"] = nil }
                if !backend.isEmpty {
                    var models = value["models"]?.objectValue ?? SpecObject()
                    for role in ["outcome", "effect"]
                    where models[role]?.objectValue?["backend"] != .string(backend) {
                        models[role] = .string(backend)
                    }
                    models["arms"] = nil
                    value["models"] = .object(models)
                }
                let fitter = try MetaLearnerFitter(
                    MetaLearnerSpec(.object(value), at: .root), registry: fitting.registry)
                candidates.append(Candidate(learner: kind.rawValue, backend: backend, fitter: fitter))
            }
        }
        return candidates
    }

    private func averages(_ fits: [Fit]) -> ResultTable {
        var table = ResultTable(
            "averages", "Average effects by each",
            [
                .init("learner", "learner", .text), .init("backend", "base learner", .text),
                .init("arm", "arm", .text),
                .init("mean_effect", "mean effect", .number), .init("std_dev_effect", "std. dev.", .number),
            ]
                + ResultTable.estimateColumns("AIPW", level: level))
        for fit in fits {
            for (effects, average) in zip(fit.effects, fit.averages) {
                let mean = effects.reduce(0, +) / Double(effects.count)
                let variance =
                    effects.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(effects.count - 1, 1))
                table.append([
                    .string(fit.candidate.learner), .string(fit.candidate.backend), .string(average.arm),
                    .number(mean), .number(variance.squareRoot()), .number(average.estimate),
                    .number(average.stdError),
                    .number(average.lower), .number(average.upper), .number(average.pValue),
                ])
            }
        }
        return table
    }

    /// The correlation of each pair's effects, by arm.
    private func agreement(_ fits: [Fit], _ study: CausalStudy, _ weights: [Double]) -> ResultTable {
        var table = ResultTable(
            "agreement", "Correlation of the effects",
            [.init("arm", "arm", .text), .init("learner", "learner", .text)]
                + fits.map { .init($0.candidate.key, $0.candidate.key, .number) })
        for (index, arm) in study.armLabels.dropFirst().enumerated() {
            for fit in fits {
                table.append(
                    [.string(arm), .string(fit.candidate.key)]
                        + fits.map {
                            .number(Self.correlation(fit.effects[index], $0.effects[index], weights))
                        })
            }
        }
        return table
    }

    /// The weighted correlation; NaN where one of the two does not vary.
    static func correlation(_ left: [Double], _ right: [Double], _ weights: [Double]) -> Double {
        let total = weights.reduce(0, +)
        func mean(_ value: (Int) -> Double) -> Double {
            weights.indices.reduce(0) { $0 + weights[$1] * value($1) } / total
        }
        let (a, b) = (mean { left[$0] }, mean { right[$0] })
        let (aa, bb) = (mean { (left[$0] - a) * (left[$0] - a) }, mean { (right[$0] - b) * (right[$0] - b) })
        // Effects that are equal but for rounding have no correlation.
        guard aa > 1e-20 * max(a * a, 1e-300), bb > 1e-20 * max(b * b, 1e-300) else { return .nan }
        return mean { (left[$0] - a) * (right[$0] - b) } / (aa * bb).squareRoot()
    }

    private func chart(_ fits: [Fit]) -> Chart {
        let averages = fits.map { $0.averages.first }
        return Chart(
            "averages", "Average effect by each learner", x: .init("learner"),
            y: .init("average effect (AIPW)"),
            series: [
                .init(
                    "AIPW", .points, x: fits.indices.map { Double($0) },
                    y: averages.map { $0?.estimate ?? .nan },
                    lower: averages.map { $0?.lower ?? .nan }, upper: averages.map { $0?.upper ?? .nan })
            ],
            categories: fits.map(\.candidate.key), references: [.init("no effect", 0)])
    }

    private func findings(_ fits: [Fit], _ table: ResultTable, _ study: CausalStudy, _ weights: [Double])
        -> [String]
    {
        guard fits.count > 1 else { return [] }
        var sentences: [String] = []
        let losses = table.numbers("dr_loss")
        if let best = losses.indices.filter({ losses[$0].isFinite }).min(by: { losses[$0] < losses[$1] }) {
            let close = table.rows.indices.filter { index in
                guard index != best, let difference = table.column("dr_loss_difference")[index].doubleValue,
                    let error = table.column("dr_loss_std_error")[index].doubleValue
                else { return false }
                return difference <= 1.96 * error
            }
            func name(_ index: Int) -> String {
                let (learner, backend) = (
                    table.rows[index][0].stringValue ?? "", table.rows[index][1].stringValue ?? ""
                )
                return backend.isEmpty ? learner : "\(learner) on \(backend)"
            }
            sentences.append(
                "\(name(best)) has the smallest DR-loss; "
                    + (close.isEmpty
                        ? "the others are worse by more than chance would explain."
                        : "no worse beyond chance \(close.count == 1 ? "is" : "are") \(close.map(name).joined(separator: ", ")).")
            )
        }
        var pairs: [(Double, String)] = []
        for first in fits.indices {
            for second in fits.indices where second > first {
                let value = Self.correlation(fits[first].effects[0], fits[second].effects[0], weights)
                if value.isFinite {
                    pairs.append((value, "\(fits[first].candidate.key) and \(fits[second].candidate.key)"))
                }
            }
        }
        if let least = pairs.min(by: { $0.0 < $1.0 }) {
            let value = Sentence.number(least.0)
            sentences.append(
                pairs.count == 1
                    ? "The effects of \(least.1) have a correlation of \(value)."
                    : "The effects of \(least.1) agree least, with a correlation of \(value).")
        }
        return sentences
    }

    /// A learner on a base learner.
    struct Candidate: Sendable {
        let learner: String
        /// The base learner; empty where the spec's own models, or the learner's, are used.
        let backend: String
        let fitter: MetaLearnerFitter

        /// What tables call it: dr, or dr_trees.
        var key: String { backend.isEmpty ? learner : learner + "_" + backend }
    }

    /// What came of it.
    struct Fit: Sendable {
        let candidate: Candidate
        let effects: [[Double]]
        let averages: [AverageEffect]
        let seconds: Double
    }
}
