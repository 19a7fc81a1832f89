import LinearEstimators
import MetaLearnersCore

/// The effects of `auto`: for each arm and fold a combination of linear functions and trees, some of it multiplied by the
/// propensity.
struct AutoPredictor: EffectPredictor {
    static let tag = "auto"

    /// What a candidate counts.
    struct Weight: Sendable, Equatable {
        let name: String
        let weight: Double
    }

    /// For each arm but the control, for each fold.
    private let trees: [[FormulaTrees]]
    /// For each arm, level and share: the means over the folds.
    private let means: LinearFunctions
    /// For each arm, for each fold, level and share.
    private let functions: LinearFunctions
    private let usesShare: Bool
    private let leastShare: Double
    /// For each arm but the control, the candidates.
    let weights: [[Weight]]

    var foldCount: Int { trees.first?.count ?? 0 }

    init(_ effects: [AutoEffect], leastShare: Double, _ design: DesignMatrix) {
        let none = LinearFunction(intercept: 0, width: design.width)
        let levels = effects.map { $0.formulas.map(\.level.linear) }
        let shares = effects.map { $0.formulas.map { $0.share?.linear ?? none } }
        usesShare = effects.contains { $0.formulas.contains { $0.share != nil } }
        self.leastShare = leastShare
        trees = effects.map { effect in
            effect.formulas.indices.map { FormulaTrees(effect.formulas[$0], effect.trees, fold: $0) }
        }
        means = design.functions(
            effects.indices.flatMap { [LinearFunction.mean(levels[$0]), .mean(shares[$0])] })
        functions = design.functions(
            effects.indices.flatMap { arm in
                levels[arm].indices.flatMap { [levels[arm][$0], shares[arm][$0]] }
            })
        weights = effects.map { $0.weights.map { Weight(name: $0.name, weight: $0.weight) } }
    }

    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole> { usesShare ? [.propensity] : [] }

    func effects(_ input: PredictorInput, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]
    {
        var folds = Array(0..<foldCount)
        if case .fold(let fold) = input.selection { folds = folds.contains(fold) ? [fold] : [] }
        let isMean = input.selection == .combined && input.spec.prediction != .median
        let values =
            isMean
            ? try means.values(input.features, context) : try functions.values(input.features, context)
        let width = isMean ? means.count : functions.count
        let count = input.features.rowCount
        var effects: [[Double]] = []
        for (arm, ofFold) in trees.enumerated() {
            let share =
                usesShare
                ? input.nuisances.pairPropensity(of: arm + 1).map { AutoPair.bounded($0, leastShare) } : []
            func effect(linear place: Int, _ folds: [Int]) throws(MetaLearnersError) -> [Double] {
                var level = (0..<count).map { values[$0 * width + place] }
                var factor = (0..<count).map { values[$0 * width + place + 1] }
                for fold in folds {
                    try ofFold[fold].add(
                        to: &level, &factor, input.features, rows: nil, times: 1 / Double(folds.count),
                        context)
                }
                for row in share.indices { level[row] += share[row] * factor[row] }
                return level
            }
            if isMean {
                effects.append(try effect(linear: 2 * arm, folds))
                continue
            }
            var ofFolds: [[Double]] = []
            for fold in folds { ofFolds.append(try effect(linear: 2 * (arm * foldCount + fold), [fold])) }
            effects.append(CrossFittedModels.combine(ofFolds, input.spec.prediction))
        }
        return effects
    }

    func parts(_ labels: [String]) -> [ModelPart] {
        trees.indices.map { arm in
            var writer = BinaryWriter()
            for fold in trees[arm] { fold.encode(to: &writer) }
            return ModelPart(
                name: EffectRole(arm: arm + 1).name(labels), backend: BlendedModel.backendName,
                foldModels: foldCount, hasFullModel: false, bytes: writer.bytes.count)
        }
    }

    func warnings(_ labels: [String]) -> [String] { [] }

    /// For each arm, what its candidates count.
    func details(_ labels: [String]) -> SpecValue? {
        .object(
            SpecObject(
                zip(labels.dropFirst(), weights).map { label, weights in
                    (label, .object(SpecObject(weights.map { ($0.name, .number($0.weight)) })))
                }))
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(trees.count))
        for (arm, ofFold) in trees.enumerated() {
            writer.write(UInt64(ofFold.count))
            for fold in ofFold { fold.encode(to: &writer) }
            writer.write(weights[arm].map(\.name))
            writer.write(weights[arm].map(\.weight))
        }
        writer.write(usesShare)
        writer.write(leastShare)
        means.encode(to: &writer)
        functions.encode(to: &writer)
    }

    init(from reader: inout BinaryReader, _ model: PredictorArchive.Surroundings) throws(MetaLearnersError) {
        var trees: [[FormulaTrees]] = []
        var weights: [[Weight]] = []
        for _ in 0..<(try reader.readCount(elementSize: 24)) {
            var ofFold: [FormulaTrees] = []
            for _ in 0..<(try reader.readCount(elementSize: 8)) {
                ofFold.append(try FormulaTrees(from: &reader, model.registry))
            }
            trees.append(ofFold)
            let names = try reader.readStrings()
            let numbers = try reader.readDoubles()
            guard names.count == numbers.count, numbers.allSatisfy(\.isFinite) else {
                throw BinaryReader.corrupt("the weights of an ensemble make no sense")
            }
            weights.append(zip(names, numbers).map { Weight(name: $0, weight: $1) })
        }
        self.trees = trees
        self.weights = weights
        usesShare = try reader.readBool()
        leastShare = try reader.readDouble()
        means = try LinearFunctions(from: &reader)
        functions = try LinearFunctions(from: &reader)
        let folds = trees.first?.count ?? 0
        guard trees.count == model.armCount - 1, folds > 0, trees.allSatisfy({ $0.count == folds }),
            leastShare >= 0, leastShare < 0.5, means.count == 2 * trees.count,
            functions.count == 2 * trees.count * folds,
            usesShare || !trees.contains(where: { $0.contains(where: \.usesShare) })
        else { throw BinaryReader.corrupt("an ensemble is not whole") }
    }
}
