import MetaLearners
import MetaLearnersCore

/// One model that `auto` fits for an arm against the control, fold by fold: what it is fitted to, on which rows, by which
/// base learner. `AutoMember.all` is the table.
struct AutoMember: Sendable {
    /// The name of a member; candidates and stacks refer to members by it.
    enum Name: String, Sendable, CaseIterable {
        case controlLasso = "outcome of the control: lasso"
        case controlRidge = "outcome of the control: ridge"
        case armLasso = "outcome of the arm: lasso"
        case armRidge = "outcome of the arm: ridge"
        case marginalRidge = "outcome: ridge"
        case marginalLasso = "outcome: lasso"
        case propensityLogistic = "propensity: logistic"
        case propensityLasso = "propensity: lasso"
        case propensityCurves = "propensity: logistic on curves"
        case controlTrees = "outcome of the control: trees"
        case armTrees = "outcome of the arm: trees"
        case propensityTrees = "propensity: trees"
        case deepPropensityTrees = "propensity: deep trees"
        case jointTrees = "outcome given treatment: trees"
        case marginalTrees = "outcome: trees"
        case bartBesideControl = "effect beside the outcome of the control: bart"
        case jointLassoLinear = "outcome given treatment: lasso, linear effect"
        case jointLasso = "outcome given treatment: lasso"
        case effectLasso = "effect by R-loss: lasso"
        case effectRidge = "effect by R-loss: ridge"
        case effectLassoLinear = "effect by R-loss: lasso, linear"
        case effectTrees = "effect by R-loss: trees"
        case imputedControlLasso = "effect imputed in the control: lasso"
        case imputedControlRidge = "effect imputed in the control: ridge"
        case imputedControlTrees = "effect imputed in the control: trees"
        case imputedArmLasso = "effect imputed in the arm: lasso"
        case imputedArmRidge = "effect imputed in the arm: ridge"
        case imputedArmTrees = "effect imputed in the arm: trees"
        case deepImputedControlTrees = "effect imputed in the control: deep trees"
        case deepImputedArmTrees = "effect imputed in the arm: deep trees"
    }

    /// What has to be there before.
    enum Step: Sendable {
        /// Nothing.
        case nuisances
        /// The propensity.
        case modulated
        /// All nuisances.
        case effects
    }

    /// The base learner.
    enum Method: Sendable {
        case ridge(Columns)
        case lasso(Columns)
        case logistic(Columns)
        /// Boosted trees; the number stands in seeds, and is frozen.
        case trees(AutoSettings.TreeSize, seed: UInt64)
        /// Bayesian additive regression trees.
        case bart(seed: UInt64)
    }

    /// The columns that linear members see.
    enum Columns: Sendable {
        case linear
        case curves
        /// Curves and all products where there is room for them, else curves.
        case largest
    }

    /// The rows that are learnt from.
    enum Rows: Sendable {
        case control
        case arm
        case both
    }

    /// What is predicted.
    enum Target: Sendable {
        /// Y.
        case outcome
        /// Y, from the covariates and the treatment.
        case outcomeGivenTreatment
        /// Y, from the covariates and W − e(x) with its products, whose penalty is made small by factors.
        case modulatedOutcome(Columns, columnFactor: Double)
        /// W.
        case treatment
        /// W as a number, not a class.
        case share
        /// The effect, as the coefficient of the treatment beside the outcome of the control, which is learnt with it.
        case coefficient
        /// The effect, by the R-loss.
        case effect
        /// μ_arm − Y, in the control.
        case imputedControl
        /// Y − μ_control, in the arm.
        case imputedArm
    }

    let name: Name
    let step: Step
    let method: Method
    let rows: Rows
    let target: Target
    /// On more rows it is left out: it takes its time, and others are better there.
    var mostRows = Int.max

    /// All members for so many rows. Linear members come first: they take longest and cannot be split.
    static func all(_ settings: AutoSettings, knowsPropensities: Bool) -> [AutoMember] {
        let table: [AutoMember] = [
            .init(
                name: .controlLasso, step: .nuisances, method: .lasso(.largest), rows: .control,
                target: .outcome),
            .init(
                name: .controlRidge, step: .nuisances, method: .ridge(.linear), rows: .control,
                target: .outcome),
            .init(
                name: .armLasso, step: .nuisances, method: .lasso(.largest), rows: .arm, target: .outcome),
            .init(
                name: .armRidge, step: .nuisances, method: .ridge(.linear), rows: .arm, target: .outcome),
            .init(
                name: .marginalRidge, step: .nuisances, method: .ridge(.linear), rows: .both,
                target: .outcome),
            .init(
                name: .marginalLasso, step: .nuisances, method: .lasso(.largest), rows: .both,
                target: .outcome, mostRows: 50_000),
            .init(
                name: .propensityLogistic, step: .nuisances, method: .logistic(.linear), rows: .both,
                target: .treatment),
            .init(
                name: .propensityLasso, step: .nuisances, method: .lasso(.largest), rows: .both,
                target: .share),
            .init(
                name: .propensityCurves, step: .nuisances, method: .logistic(.curves), rows: .both,
                target: .treatment, mostRows: 5_000),
            .init(
                name: .controlTrees, step: .nuisances, method: .trees(.outcomes, seed: 2), rows: .control,
                target: .outcome),
            .init(
                name: .armTrees, step: .nuisances, method: .trees(.outcomes, seed: 3), rows: .arm,
                target: .outcome),
            .init(
                name: .propensityTrees, step: .nuisances, method: .trees(.effects, seed: 1),
                rows: .both, target: .treatment),
            .init(
                name: .deepPropensityTrees, step: .nuisances, method: .trees(.deepEffects, seed: 11),
                rows: .both, target: .treatment),
            .init(
                name: .jointTrees, step: .nuisances, method: .trees(.outcomesGivenTreatment, seed: 5),
                rows: .both,
                target: .outcomeGivenTreatment, mostRows: 100_000),
            .init(
                name: .bartBesideControl, step: .effects, method: .bart(seed: 12), rows: .both,
                target: .coefficient, mostRows: 100_000),
            .init(
                name: .marginalTrees, step: .nuisances, method: .trees(.outcomes, seed: 4), rows: .both,
                target: .outcome, mostRows: 100_000),
            .init(
                name: .jointLassoLinear, step: .modulated, method: .lasso(.largest), rows: .both,
                target: .modulatedOutcome(.linear, columnFactor: settings.linearEffectFactor),
                mostRows: 50_000),
            .init(
                name: .jointLasso, step: .modulated, method: .lasso(.largest), rows: .both,
                target: .modulatedOutcome(.largest, columnFactor: 1), mostRows: 50_000),
            .init(
                name: .effectLasso, step: .effects, method: .lasso(.largest), rows: .both, target: .effect),
            .init(
                name: .effectRidge, step: .effects, method: .ridge(.linear), rows: .both, target: .effect),
            .init(
                name: .effectLassoLinear, step: .effects, method: .lasso(.linear), rows: .both,
                target: .effect, mostRows: 50_000),
            .init(
                name: .imputedControlLasso, step: .effects, method: .lasso(.largest), rows: .control,
                target: .imputedControl),
            .init(
                name: .imputedControlRidge, step: .effects, method: .ridge(.linear), rows: .control,
                target: .imputedControl),
            .init(
                name: .imputedArmLasso, step: .effects, method: .lasso(.largest), rows: .arm,
                target: .imputedArm),
            .init(
                name: .imputedArmRidge, step: .effects, method: .ridge(.linear), rows: .arm,
                target: .imputedArm),
            .init(
                name: .effectTrees, step: .effects, method: .trees(.effects, seed: 6), rows: .both,
                target: .effect),
            .init(
                name: .imputedControlTrees, step: .effects, method: .trees(.effects, seed: 7),
                rows: .control, target: .imputedControl),
            .init(
                name: .imputedArmTrees, step: .effects, method: .trees(.effects, seed: 8), rows: .arm,
                target: .imputedArm),
            .init(
                name: .deepImputedControlTrees, step: .effects, method: .trees(.deepEffects, seed: 9),
                rows: .control, target: .imputedControl),
            .init(
                name: .deepImputedArmTrees, step: .effects, method: .trees(.deepEffects, seed: 10),
                rows: .arm, target: .imputedArm),
        ]
        return table.filter { member in
            settings.rowCount <= member.mostRows && !(knowsPropensities && member.isOfPropensity)
        }
    }
}

extension AutoMember {
    /// What memory is planned for; the regressor is not known then.
    var plannedObjective: TrainingTask.Objective {
        if case .coefficient = target { .coefficient(regressor: []) } else { .regression }
    }

    /// Whether the propensity is stacked of it.
    var isOfPropensity: Bool {
        switch target {
        case .treatment, .share: true
        default: false
        }
    }
}

/// The base learners of `auto`'s members, by their common names in the registry.
struct AutoEstimators: Sendable {
    let settings: AutoSettings
    private let estimators: [String: any BaseEstimator]
    /// Trees of single arms, by the number of the arm.
    private let ofArms: [[String: any BaseEstimator]]
    /// The backend whose design the linear members share.
    let design: any SharedDesignEstimator

    /// Finds the base learners.
    ///
    /// - Parameter armCounts: how many rows each arm has, in all processes.
    /// - Throws: `invalidSpec` where the registry lacks one, `unsupported` where one cannot share a design.
    init(_ settings: AutoSettings, armCounts: [Int], _ registry: Registry) throws(MetaLearnersError) {
        self.settings = settings
        var estimators: [String: any BaseEstimator] = [:]
        var design: (any SharedDesignEstimator)?
        for name in ["ridge", "lasso", "logistic"] {
            let parameters = name == "lasso" ? [("path_length", SpecValue.integer(settings.lassoStages))] : []
            let estimator = try registry.estimators.makeEstimator(
                EstimatorChoice(name, SpecObject(parameters)), at: Self.place)
            guard let shared = estimator as? any SharedDesignEstimator else {
                throw Self.place.error("the backend '\(name)' cannot share encoded columns, which auto needs")
            }
            estimators[name] = estimator
            design = design ?? shared
        }
        estimators["bart"] = try registry.estimators.makeEstimator(
            EstimatorChoice("bart", settings.bart), at: Self.place)
        func trees(_ settings: AutoSettings) throws(MetaLearnersError) -> [String: any BaseEstimator] {
            var trees: [String: any BaseEstimator] = [:]
            for size in AutoSettings.TreeSize.allCases {
                trees[size.rawValue] = try registry.estimators.makeEstimator(
                    EstimatorChoice("trees", settings.trees(size)), at: Self.place)
            }
            return trees
        }
        estimators.merge(try trees(settings)) { $1 }
        var ofArms: [[String: any BaseEstimator]] = []
        for rows in armCounts { ofArms.append(try trees(settings.ofArm(rows: rows))) }
        self.ofArms = ofArms
        guard let design else { throw Self.place.error("there is no linear backend") }
        self.design = design
        self.estimators = estimators
    }

    private static let place = SpecPath.root.appending("auto")

    /// The base learner of a member of an arm's pair with the control.
    func estimator(_ member: AutoMember, arm: Int) throws(MetaLearnersError) -> any BaseEstimator {
        let name: String
        switch member.method {
        case .ridge: name = "ridge"
        case .lasso: name = "lasso"
        case .logistic: name = "logistic"
        case .trees(let size, _): name = size.rawValue
        case .bart: name = "bart"
        }
        let own: Int? =
            switch member.rows {
            case .control: 0
            case .arm: arm
            case .both: nil
            }
        if let own, ofArms.indices.contains(own), let trees = ofArms[own][name] { return trees }
        if let estimator = estimators[name] { return estimator }
        throw MetaLearnersError(.internalFault, at: "auto", "has no base learner '\(name)'")
    }
}
