import MetaLearnersCore

/// Losses of effects that need no true effects, against those of one effect for everybody.
public struct LossesAnalysis: Analysis {
    public static let name = "losses"
    public static let title = "Losses of the effects"
    public static let summary =
        "R-loss and DR-loss of the effects, against the best constant effect: does telling people apart pay?"
    public static let topic = AnalysisTopic.evaluation
    public static let parameters: [Parameter<LossesAnalysis>] = [.level(\.level), .arm(\.arm)]

    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.scores, .effects] }

    /// The mean loss of the effects, of the best constant, and how much the effects save.
    struct Comparison {
        let model: NormalEstimate
        let constant: NormalEstimate
        let gain: NormalEstimate
        /// The share of the constant's loss that the effects save: RScorer of EconML for the R-loss.
        var explained: Double { gain.estimate / constant.estimate }
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "losses", "Mean losses; the estimate is what the effects save against a constant effect",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("loss", "loss", .text),
                ResultTable.Column("model", "effects", .number),
                ResultTable.Column("model_std_error", "std. error", .number),
                ResultTable.Column("constant", "constant", .number),
                ResultTable.Column("constant_std_error", "std. error", .number),
                ResultTable.Column("explained", "saved share", .share),
            ] + ResultTable.estimateColumns("saved", level: level))
        for arm in try study.treatedArms(arm) {
            let losses = [("r", try Self.rLoss(study, arm)), ("dr", try Self.drLoss(study, arm))]
            for (key, loss) in losses {
                table.append(
                    [
                        .string(study.armLabels[arm]), .string(key), .number(loss.model.estimate),
                        .number(loss.model.stdError), .number(loss.constant.estimate),
                        .number(loss.constant.stdError), .number(loss.explained),
                    ] + ResultTable.cells(loss.gain, level: level))
            }
            result.findings.append(finding(study, arm, losses.map(\.1)))
        }
        result.tables = [table]
        result.assumptions = [
            Assumption.noConfounding, Assumption.overlap, Assumption.foreignEffects,
        ]
        return result
    }

    /// ((Y − m) − (W − ē) τ)², over the rows of the arm and of the control (Nie & Wager 2021, arXiv 1712.04912).
    static func rLoss(_ study: CausalStudy, _ arm: Int) throws(MetaLearnersError) -> Comparison {
        let pair = try PairResiduals(study, arm)
        return compare(
            targets: pair.outcome, slopes: pair.treatment, try study.ownEffect(arm), pair.weights,
            study)
    }

    /// (ψ − τ)², ψ being the doubly robust scores (Kennedy 2023, arXiv 2004.14497).
    static func drLoss(_ study: CausalStudy, _ arm: Int) throws(MetaLearnersError) -> Comparison {
        compare(
            targets: try study.scores(arm), slopes: [Double](repeating: 1, count: study.rowCount),
            try study.ownEffect(arm), study.rowWeights, study)
    }

    private static func compare(
        targets: [Double], slopes: [Double], _ effects: [Double], _ weights: [Double], _ study: CausalStudy
    ) -> Comparison {
        var products = 0.0
        var squares = 0.0
        for row in targets.indices {
            products += weights[row] * slopes[row] * targets[row]
            squares += weights[row] * slopes[row] * slopes[row]
        }
        // (Where models of folds see no differences, there is nothing to compare.)
        let isConstant = study.origin == .outOfFold && effects.allSatisfy { $0 == effects.first }
        let constant = isConstant ? effects.first ?? 0 : squares > 0 ? products / squares : 0
        let ones = [Double](repeating: 1, count: targets.count)
        func mean(_ values: [Double]) -> NormalEstimate {
            NormalEstimate(scores: values, shares: ones, weights: weights, clusters: study.clusters)
        }
        func square(_ row: Int, _ effect: Double) -> Double {
            let error = targets[row] - slopes[row] * effect
            return error * error
        }
        let ofModel = targets.indices.map { square($0, effects[$0]) }
        let ofConstant = targets.indices.map { square($0, constant) }
        return Comparison(
            model: mean(ofModel), constant: mean(ofConstant),
            gain: mean(zip(ofConstant, ofModel).map { $0 - $1 }))
    }

    private func finding(_ study: CausalStudy, _ arm: Int, _ losses: [Comparison]) -> String {
        let clear = losses.filter { $0.gain.pValue < 1 - level }
        let start = Sentence.arm(study, arm)
        if losses.allSatisfy({ $0.gain.estimate == 0 && $0.gain.stdError == 0 }) {
            return Sentence.sameForEverybody(study, arm)
        }
        let numbers =
            "R-loss \(Self.signed(losses[0])), DR-loss \(Self.signed(losses[1]))"
        if clear.isEmpty {
            return start
                + "The effects are not demonstrably better, nor worse, than one effect for everybody: \(numbers)."
        }
        if clear.allSatisfy({ $0.gain.estimate > 0 }) {
            return start + "The effects are better than one effect for everybody: \(numbers)."
        }
        if clear.allSatisfy({ $0.gain.estimate < 0 }) {
            return start + "The effects are worse than one effect for everybody: \(numbers)."
        }
        return start + "The two losses disagree: \(numbers)."
    }

    private static func signed(_ loss: Comparison) -> String {
        let percent = NumberText.fixed(abs(loss.explained) * 100, decimals: 2)
        return
            "\(percent) % \(loss.gain.estimate >= 0 ? "lower" : "higher") (\(Sentence.pValue(loss.gain.pValue)))"
    }
}
