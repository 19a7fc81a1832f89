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
        case jointTrees = "outcome given treatment: trees"
        case marginalTrees = "outcome: trees"
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
        /// Boosted trees of the size that outcomes take, or smaller ones; the number stands in seeds, and is frozen.
        case trees(isLarge: Bool, seed: UInt64)
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
    /// Whether the light recipe has it as well.
    var isLight = false

    /// All members of a recipe. Linear members come first: they take longest and cannot be split.
    static func all(_ settings: AutoSettings, knowsPropensities: Bool) -> [AutoMember] {
        let table: [AutoMember] = [
            .init(
                name: .controlLasso, step: .nuisances, method: .lasso(.largest), rows: .control,
                target: .outcome, isLight: true),
            .init(
                name: .controlRidge, step: .nuisances, method: .ridge(.linear), rows: .control,
                target: .outcome, isLight: true),
            .init(
                name: .armLasso, step: .nuisances, method: .lasso(.largest), rows: .arm, target: .outcome,
                isLight: true),
            .init(
                name: .armRidge, step: .nuisances, method: .ridge(.linear), rows: .arm, target: .outcome,
                isLight: true),
            .init(
                name: .marginalRidge, step: .nuisances, method: .ridge(.linear), rows: .both,
                target: .outcome, isLight: true),
            .init(
                name: .marginalLasso, step: .nuisances, method: .lasso(.largest), rows: .both,
                target: .outcome),
            .init(
                name: .propensityLogistic, step: .nuisances, method: .logistic(.linear), rows: .both,
                target: .treatment, isLight: true),
            .init(
                name: .propensityLasso, step: .nuisances, method: .lasso(.largest), rows: .both,
                target: .share),
            .init(
                name: .propensityCurves, step: .nuisances, method: .logistic(.curves), rows: .both,
                target: .treatment),
            .init(
                name: .controlTrees, step: .nuisances, method: .trees(isLarge: true, seed: 2), rows: .control,
                target: .outcome, isLight: true),
            .init(
                name: .armTrees, step: .nuisances, method: .trees(isLarge: true, seed: 3), rows: .arm,
                target: .outcome, isLight: true),
            .init(
                name: .propensityTrees, step: .nuisances, method: .trees(isLarge: false, seed: 1),
                rows: .both, target: .treatment, isLight: true),
            .init(
                name: .jointTrees, step: .nuisances, method: .trees(isLarge: true, seed: 5), rows: .both,
                target: .outcomeGivenTreatment),
            .init(
                name: .marginalTrees, step: .nuisances, method: .trees(isLarge: true, seed: 4), rows: .both,
                target: .outcome),
            .init(
                name: .jointLassoLinear, step: .modulated, method: .lasso(.largest), rows: .both,
                target: .modulatedOutcome(.linear, columnFactor: settings.linearEffectFactor)),
            .init(
                name: .jointLasso, step: .modulated, method: .lasso(.largest), rows: .both,
                target: .modulatedOutcome(.largest, columnFactor: 1)),
            .init(
                name: .effectLasso, step: .effects, method: .lasso(.largest), rows: .both, target: .effect,
                isLight: true),
            .init(
                name: .effectRidge, step: .effects, method: .ridge(.linear), rows: .both, target: .effect,
                isLight: true),
            .init(
                name: .effectLassoLinear, step: .effects, method: .lasso(.linear), rows: .both,
                target: .effect),
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
                name: .effectTrees, step: .effects, method: .trees(isLarge: false, seed: 6), rows: .both,
                target: .effect, isLight: true),
            .init(
                name: .imputedControlTrees, step: .effects, method: .trees(isLarge: false, seed: 7),
                rows: .control, target: .imputedControl),
            .init(
                name: .imputedArmTrees, step: .effects, method: .trees(isLarge: false, seed: 8), rows: .arm,
                target: .imputedArm),
        ]
        return table.filter { member in
            (settings.recipe == .full || member.isLight) && !(knowsPropensities && member.isOfPropensity)
        }
    }
}

extension AutoMember {
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
    /// The backend whose design the linear members share.
    let design: any SharedDesignEstimator

    /// Finds the base learners.
    ///
    /// - Throws: `invalidSpec` where the registry lacks one, `unsupported` where one cannot share a design.
    init(_ settings: AutoSettings, _ registry: Registry) throws(MetaLearnersError) {
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
        for isLarge in [false, true] {
            for isJoint in [false, true] {
                estimators[Self.trees(isLarge: isLarge, isJoint: isJoint)] =
                    try registry.estimators.makeEstimator(
                        EstimatorChoice("trees", settings.trees(isLarge: isLarge, isJoint: isJoint)),
                        at: Self.place)
            }
        }
        guard let design else { throw Self.place.error("there is no linear backend") }
        self.design = design
        self.estimators = estimators
    }

    private static let place = SpecPath.root.appending("auto")

    private static func trees(isLarge: Bool, isJoint: Bool) -> String {
        "trees" + (isLarge ? ", large" : "") + (isJoint ? ", joint" : "")
    }

    /// The base learner of a member.
    func estimator(_ member: AutoMember) throws(MetaLearnersError) -> any BaseEstimator {
        let name: String
        switch member.method {
        case .ridge: name = "ridge"
        case .lasso: name = "lasso"
        case .logistic: name = "logistic"
        case .trees(let isLarge, _):
            var isJoint = false
            if case .outcomeGivenTreatment = member.target { isJoint = true }
            name = Self.trees(isLarge: isLarge, isJoint: isJoint)
        }
        if let estimator = estimators[name] { return estimator }
        throw MetaLearnersError(.internalFault, at: "auto", "has no base learner '\(name)'")
    }
}
