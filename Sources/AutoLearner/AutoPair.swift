import MetaLearners
import MetaLearnersCore

/// One arm against the control, as `auto` sees it.
struct AutoPair: Sendable {
    let dataset: CausalDataset
    let arm: Int
    let settings: AutoSettings
    private let seed: UInt64
    /// 1 for the arm and 0 for all others, of each row of the dataset.
    let treated: [Double]
    /// The rows of the arm and of the control, ascending.
    let rows: [Int32]
    /// Those of the control alone, and of the arm.
    let rowsOfArm: [[Int32]]

    init(_ dataset: CausalDataset, arm: Int, _ settings: AutoSettings, seed: UInt64) {
        self.dataset = dataset
        self.arm = arm
        self.settings = settings
        self.seed = RandomStream.derivedSeed(seed, 0x4155_544F, UInt64(arm))
        let arms = dataset.treatment.arms
        treated = arms.map { $0 == arm ? 1 : 0 }
        let all = dataset.activeRows ?? Array(0..<Int32(dataset.rowCount))
        rows = all.filter { arms[Int($0)] == 0 || arms[Int($0)] == arm }
        rowsOfArm = [all.filter { arms[Int($0)] == 0 }, all.filter { arms[Int($0)] == arm }]
    }

    var outcome: [Double] { dataset.outcome.values }

    func weight(_ row: Int) -> Double { dataset.weights?[row] ?? 1 }

    /// ē where propensities are known.
    var knownShare: [Double]? {
        guard let known = dataset.knownPropensities else { return nil }
        return zip(known[arm], known[0]).map { $0 / ($0 + $1) }
    }

    static func bounded(_ share: Double, _ least: Double) -> Double { min(max(share, least), 1 - least) }

    func rows(of rows: AutoMember.Rows) -> [Int32] {
        switch rows {
        case .control: rowsOfArm[0]
        case .arm: rowsOfArm[1]
        case .both: self.rows
        }
    }

    /// What of the nuisances members of effects are fitted to.
    struct Residuals: Sendable {
        /// Y − m.
        let outcome: [Double]
        /// W − ē.
        let treatment: [Double]
        /// μ_arm − Y, and Y − μ_control.
        let imputed: [[Double]]
        /// ē as effects see it.
        let share: [Double]
        /// Which rows take part; nil for all.
        let hasOverlap: [Bool]?
    }

    /// What a member is fitted to.
    ///
    /// - Parameters:
    ///   - share: ē, for members that see it.
    ///   - residuals: for members of effects.
    func problem(
        _ member: AutoMember, _ design: AutoDesign?, share: [Double]? = nil, residuals: Residuals? = nil
    ) throws(MetaLearnersError) -> MemberRun.Problem {
        var rows = rows(of: member.rows)
        if let hasOverlap = residuals?.hasOverlap { rows.removeAll { !hasOverlap[Int($0)] } }
        var features = dataset.covariates
        var target = outcome
        var objective = TrainingTask.Objective.regression
        var modulation: DesignModulation?
        var inputs: [Table] = []
        func needed<Value>(_ value: Value?) throws(MetaLearnersError) -> Value {
            if let value { return value }
            throw MetaLearnersError(.internalFault, at: member.name.rawValue, "its nuisances are not there")
        }
        switch member.target {
        case .outcome: break
        case .treatment:
            target = treated
            objective = .classification(classes: 2)
        case .share: target = treated
        case .outcomeGivenTreatment:
            func given(_ values: StridedValues) -> Table {
                dataset.covariates.appending(Column("(treatment)", values))
            }
            features = given(StridedValues(treated))
            inputs = [0, 1].map { given(StridedValues(repeating: Int32($0), count: dataset.rowCount)) }
        case .modulatedOutcome(let columns, let factor):
            modulation = DesignModulation(
                zip(treated, try needed(share)).map { $0 - Self.bounded($1, settings.leastShare) },
                mainFactor: settings.effectFactor, map: try needed(design).map(columns), columnFactor: factor)
        case .coefficient: objective = .coefficient(regressor: treated)
        case .effect:
            target = try needed(residuals).outcome
            objective = .residual(regressor: try needed(residuals).treatment)
        case .imputedControl: target = try needed(residuals).imputed[0]
        case .imputedArm: target = try needed(residuals).imputed[1]
        }
        var seed = seed
        switch member.method {
        case .trees(_, let part), .bart(let part): seed = RandomStream.derivedSeed(seed, part)
        case .ridge, .lasso, .logistic: break
        }
        let task = try TrainingTask(
            features: features, rows: rows, target: target, weights: dataset.weights,
            clusters: dataset.clusters, objective: objective, seed: seed, cache: dataset.cache)
        switch member.method {
        case .trees, .bart:
            return MemberRun.Problem(task: task, inputs: inputs)
        case .ridge(let columns), .lasso(let columns), .logistic(let columns):
            let design = try needed(design)
            return MemberRun.Problem(
                task: task,
                columns: MemberRun.SharedColumns(
                    design: design.columns, map: design.map(columns), modulation: modulation))
        }
    }

    /// Finds the weights of out-of-fold predictions at the named rows, for each fold without the outcomes of that fold.
    func stack(
        _ predictions: [[Double]], target: [Double], rows: [Int32], _ constraint: ConvexStack.Constraint,
        _ folds: FoldAssignment
    ) throws(MetaLearnersError) -> FoldStacks {
        func taking(_ list: [Double]) -> [Double] { rows.map { list[Int($0)] } }
        let lists = predictions.map(taking)
        let weights = dataset.weights.map(taking)
        guard folds.isCrossFitted else {
            let stack = try ConvexStack(
                lists, target: taking(target), rowWeights: weights, constraint, dataset.distribution)
            return FoldStacks(stacks: [stack], folds: folds)
        }
        return FoldStacks(
            stacks: try ConvexStack.leavingOut(
                lists, target: taking(target), rowWeights: weights, groups: rows.map { folds.folds[Int($0)] },
                count: folds.count, constraint, dataset.distribution),
            folds: folds)
    }
}

/// The encoded columns that the linear members share.
struct AutoDesign: Sendable {
    let columns: any SharedDesign
    /// What the largest feature map is: all products where there is room for them, else curves.
    let largest: FeatureExpansion

    var width: Int { columns.width }

    /// Encodes the covariates; products are left out where they would be too many. The levels of large categories are
    /// scored by outcome and treatment.
    init(
        _ dataset: CausalDataset, _ folds: FoldAssignment, _ backend: any SharedDesignEstimator,
        _ settings: AutoSettings, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let type = type(of: backend)
        let arms = dataset.treatment.arms
        let scoring = LevelScoring(
            targets: [dataset.outcome.values]
                + (1..<dataset.armCount).map { arm in arms.map { Int($0) == arm ? 1 : 0 } },
            folds: Array(folds.folds))
        let plain = try type.makeDesign(
            dataset.covariates, weights: dataset.weights, largest: .splines, scoring: scoring, context)
        let linear = plain.columnCount(.none)
        guard plain.width + linear * (linear - 1) / 2 <= settings.widthLimit else {
            columns = plain
            largest = .splines
            return
        }
        columns = try type.makeDesign(
            dataset.covariates, weights: dataset.weights, largest: .splinesInteractions, scoring: scoring,
            context)
        largest = .splinesInteractions
    }

    func map(_ columns: AutoMember.Columns) -> FeatureExpansion {
        switch columns {
        case .linear: .none
        case .curves: .splines
        case .largest: largest
        }
    }

    /// At most so many columns, known before anything is encoded.
    static func widthBound(
        _ dataset: CausalDataset, _ backend: any SharedDesignEstimator, _ settings: AutoSettings
    ) -> Int {
        let type = type(of: backend)
        let plain = type.designWidth(dataset.covariates, .splines)
        return min(
            max(plain, settings.widthLimit), type.designWidth(dataset.covariates, .splinesInteractions))
    }
}
