import LinearEstimators
import MetaLearnersCore
import TreeEstimators

/// One arm against the control, as `auto` sees it.
struct AutoPair: Sendable {
    let dataset: CausalDataset
    let arm: Int
    let settings: AutoSettings
    let seed: UInt64
    /// 1 for the arm and 0 for all others, of each row of the dataset.
    let treated: [Double]
    /// The rows of the arm and of the control, ascending.
    let rows: [Int32]
    /// Those of the control alone, and of the arm.
    let rowsOfArm: [[Int32]]
    let width: Int

    init(_ dataset: CausalDataset, arm: Int, _ settings: AutoSettings, seed: UInt64, width: Int) {
        self.dataset = dataset
        self.arm = arm
        self.settings = settings
        self.seed = RandomStream.derivedSeed(seed, 0x4155_544F, UInt64(arm))
        self.width = width
        let arms = dataset.treatment.arms
        treated = arms.map { $0 == arm ? 1 : 0 }
        let all = dataset.activeRows ?? Array(0..<Int32(dataset.rowCount))
        rows = all.filter { arms[Int($0)] == 0 || arms[Int($0)] == arm }
        rowsOfArm = [all.filter { arms[Int($0)] == 0 }, all.filter { arms[Int($0)] == arm }]
    }

    var outcome: [Double] { dataset.outcome.values }

    func weight(_ row: Int) -> Double { dataset.weights?[row] ?? 1 }

    /// A path of boosted trees of outcomes (or of effects and propensities, whose trees are smaller).
    func trees(
        _ role: Role, features: Table? = nil, rows: [Int32], target: [Double],
        objective: TrainingTask.Objective = .regression, inputs: [Table]? = nil
    ) throws(MetaLearnersError) -> TreePath.Problem {
        var spec = TreesSpec()
        let isOutcome = role.isOutcome
        spec.trees = settings.rounds
        spec.learningRate = settings.learningRate
        spec.maxLeaves = isOutcome ? settings.outcomeLeaves : settings.effectLeaves
        spec.minLeafSize = isOutcome ? settings.outcomeLeafSize : settings.effectLeafSize
        spec.l2 = settings.l2
        spec.rowSample = settings.rowSample
        // The treatment's own column is one of few: every tree of the joint model may split by it.
        spec.columnSample = role == .joint ? 1 : settings.columnSample
        spec.maxBins = settings.maxBins
        let task = try TrainingTask(
            features: features ?? dataset.covariates, rows: rows, target: target, weights: dataset.weights,
            clusters: dataset.clusters, objective: objective,
            seed: RandomStream.derivedSeed(seed, role.rawValue), cache: dataset.cache)
        if case .classification = objective {
            return try TreePath.Problem(spec, task, inputs: inputs, output: 1, every: settings.roundStep)
        }
        return try TreePath.Problem(spec, task, inputs: inputs, every: settings.roundStep)
    }

    /// What trees are fitted to; numbers stand in seeds.
    enum Role: UInt64, Sendable {
        case propensity = 1
        case control = 2
        case arm = 3
        case marginal = 4
        case joint = 5
        case effect = 6
        case imputedControl = 7
        case imputedArm = 8

        var isOutcome: Bool {
            switch self {
            case .control, .arm, .marginal, .joint: true
            case .propensity, .effect, .imputedControl, .imputedArm: false
            }
        }
    }

    /// The covariates with the arm as one more number.
    func joint(_ values: StridedValues) -> Table {
        dataset.covariates.appending(Column("(treatment)", values))
    }

    /// The values of `list` at `rows`.
    static func taking(_ list: [Double], _ rows: [Int32]) -> [Double] { rows.map { list[Int($0)] } }

    /// Finds the weights of predictions at the named rows.
    func stack(
        _ predictions: [[Double]], target: [Double], rows: [Int32], _ constraint: ConvexStack.Constraint
    ) -> ConvexStack {
        ConvexStack(
            predictions.map { Self.taking($0, rows) }, target: Self.taking(target, rows),
            rowWeights: dataset.weights.map { Self.taking($0, rows) }, constraint)
    }
}
