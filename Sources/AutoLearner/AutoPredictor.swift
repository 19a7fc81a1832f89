import MetaLearners
import MetaLearnersCore

/// The effects of `auto`: for each arm and fold a combination of linear functions and models, some of it multiplied by the
/// propensity; and members that the spec added, weighted.
struct AutoPredictor: EffectPredictor {
    static let tag = "auto"

    /// The weight of a candidate.
    struct Weight: Sendable, Equatable {
        let name: String
        let weight: Double
    }

    /// For each arm but the control, for each fold.
    let models: [[MemberModels]]
    /// For each arm, level and share: the means over the folds.
    let means: any FittedEstimator
    /// For each arm, for each fold, level and share.
    let functions: any FittedEstimator
    let usesShare: Bool
    let leastShare: Double
    /// For each arm but the control, the candidates.
    let weights: [[Weight]]
    /// The members that the spec added, without their training rows, and for each arm and fold the weight of each.
    let also: [CATEModel]
    private let alsoWeights: [[[Double]]]

    var foldCount: Int? { ([models.first?.count ?? 0] + also.map(\.foldCount)).min() }

    init(_ effects: [AutoEffect], leastShare: Double, _ design: any SharedDesign, also: [CATEModel]) {
        let none = LinearFunction(intercept: 0, width: design.width)
        let levels = effects.map { $0.formulas.map(\.level.linear) }
        let shares = effects.map { $0.formulas.map { $0.share?.linear ?? none } }
        usesShare = effects.contains { $0.formulas.contains { $0.share != nil } }
        self.leastShare = leastShare
        models = effects.map { effect in
            effect.formulas.indices.map { MemberModels(effect.formulas[$0], effect.models, fold: $0) }
        }
        means = design.model(
            of: effects.indices.flatMap { [LinearFunction.mean(levels[$0]), .mean(shares[$0])] })
        functions = design.model(
            of: effects.indices.flatMap { arm in
                levels[arm].indices.flatMap { [levels[arm][$0], shares[arm][$0]] }
            })
        weights = effects.map { $0.weights.map { Weight(name: $0.name, weight: $0.weight) } }
        self.also = also
        alsoWeights = effects.map(\.alsoWeights)
    }

    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole> { usesShare ? [.propensity] : [] }

    func effects(_ input: PredictorInput, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]
    {
        let foldCount = models.first?.count ?? 0
        var folds = Array(0..<foldCount)
        if let fold = input.fold {
            guard folds.contains(fold) else {
                throw MetaLearnersError(.unsupported, at: "model", "it has no model of fold \(fold + 1)")
            }
            folds = [fold]
        }
        let isMean = input.fold == nil && input.spec.prediction != .median
        let linear = isMean ? means : functions
        let values = try linear.predict(input.features, rows: nil, context)
        let width = linear.outputCount
        let count = input.features.rowCount
        let added = try also.indices.map { index throws(MetaLearnersError) in
            hasWeight(index) ? try also[index].effects(asMemberOf: input, context) : []
        }
        var effects: [[Double]] = []
        for (arm, ofFold) in models.enumerated() {
            /// Adds the members that the spec added, by the weights of a fold or by their mean.
            func addAlso(to effect: inout [Double], of fold: Int?) {
                for (index, values) in added.enumerated() where !values.isEmpty {
                    let weight = weight(ofAlso: index, arm: arm, fold: fold)
                    for row in effect.indices { effect[row] += weight * values[arm][row] }
                }
            }
            let share =
                usesShare
                ? try input.nuisances.pairPropensity(of: arm + 1).map { AutoPair.bounded($0, leastShare) }
                : []
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
                var mean = try effect(linear: 2 * arm, folds)
                addAlso(to: &mean, of: nil)
                effects.append(mean)
                continue
            }
            // (The weights of a fold add up to one, and those of several folds' medians would not.)
            var ofFolds: [[Double]] = []
            for fold in folds {
                var whole = try effect(linear: 2 * (arm * foldCount + fold), [fold])
                addAlso(to: &whole, of: fold)
                ofFolds.append(whole)
            }
            effects.append(CrossFittedModels.combine(ofFolds, input.spec.prediction))
        }
        return effects
    }

    /// Whether a member that the spec added is part of any effect.
    func hasWeight(_ member: Int) -> Bool {
        alsoWeights.contains { $0.contains { $0[member] != 0 } }
    }

    /// The weight of a member that the spec added: that of a fold, or the mean of the folds' weights.
    func weight(ofAlso member: Int, arm: Int, fold: Int?) -> Double {
        let ofFolds = alsoWeights[arm]
        if let fold { return ofFolds[fold][member] }
        return ofFolds.reduce(0) { $0 + $1[member] } / Double(ofFolds.count)
    }

    var needsKnownPropensities: Bool { also.contains(where: \.needsKnownPropensities) }

    func parts(_ labels: [String]) -> [ModelPart] {
        let own = models.indices.map { arm in
            var writer = BinaryWriter()
            for fold in models[arm] { fold.encode(to: &writer) }
            return ModelPart(
                name: EffectRole(arm: arm + 1).name(labels), backend: BlendedModel.backendName,
                foldModels: models[arm].count, hasFullModel: false, bytes: writer.bytes.count)
        }
        return own + also.flatMap { $0.memberParts }
    }

    /// The models of trees of each arm, those of all folds together, by the member that they are of.
    func importanceSources(_ schema: CovariateSchema, _ spec: MetaLearnerSpec, _ labels: [String])
        throws(MetaLearnersError) -> [ImportanceSource]
    {
        var sources: [ImportanceSource] = []
        for (arm, ofFold) in models.enumerated() {
            let terms = ofFold.flatMap(\.terms)
            for source in Set(terms.map(\.source)).sorted() {
                sources.append(
                    ImportanceSource(
                        name: EffectRole(arm: arm + 1).name(labels) + ", " + source.name, positions: nil,
                        models: terms.filter { $0.source == source }.map(\.model)))
            }
        }
        for member in also { sources += try member.importanceSources(asMemberOf: schema) }
        return sources
    }

    func warnings(_ labels: [String]) -> [String] { also.flatMap(\.memberWarnings) }

    /// For each arm, the weights of its candidates.
    func details(_ labels: [String]) -> SpecValue? {
        .object(
            SpecObject(
                zip(labels.dropFirst(), weights).map { label, weights in
                    (label, .object(SpecObject(weights.map { ($0.name, .number($0.weight)) })))
                }))
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(models.count))
        for (arm, ofFold) in models.enumerated() {
            writer.write(UInt64(ofFold.count))
            for fold in ofFold { fold.encode(to: &writer) }
            writer.write(weights[arm].map(\.name))
            writer.write(weights[arm].map(\.weight))
        }
        writer.write(usesShare)
        writer.write(leastShare)
        means.encode(to: &writer)
        functions.encode(to: &writer)
        // (A spec without such members has nothing here.)
        guard !also.isEmpty else { return }
        CATEModel.encode(members: also, to: &writer)
        for ofFolds in alsoWeights { writer.write(ofFolds.flatMap(\.self)) }
    }

    init(from reader: inout BinaryReader, _ model: PredictorSurroundings) throws(MetaLearnersError) {
        var models: [[MemberModels]] = []
        var weights: [[Weight]] = []
        for _ in 0..<(try reader.readCount(elementSize: 24)) {
            var ofFold: [MemberModels] = []
            for _ in 0..<(try reader.readCount(elementSize: 8)) {
                ofFold.append(try MemberModels(from: &reader, model.registry))
            }
            models.append(ofFold)
            let names = try reader.readStrings()
            let numbers = try reader.readDoubles()
            guard names.count == numbers.count, numbers.allSatisfy(\.isFinite) else {
                throw BinaryReader.corrupt("the weights of an ensemble make no sense")
            }
            weights.append(zip(names, numbers).map { Weight(name: $0, weight: $1) })
        }
        self.models = models
        self.weights = weights
        usesShare = try reader.readBool()
        leastShare = try reader.readDouble()
        means = try BlendedModel.functions(from: &reader, model.registry)
        functions = try BlendedModel.functions(from: &reader, model.registry)
        let folds = models.first?.count ?? 0
        guard models.count == model.armCount - 1, folds > 0, models.allSatisfy({ $0.count == folds }),
            leastShare >= 0, leastShare < 0.5, means.outputCount == 2 * models.count,
            functions.outputCount == 2 * models.count * folds,
            usesShare || !models.contains(where: { $0.contains(where: \.usesShare) })
        else { throw BinaryReader.corrupt("a combination is not whole") }
        guard !model.spec.auto.also.isEmpty else {
            also = []
            alsoWeights = models.map { _ in [[Double]](repeating: [], count: folds) }
            return
        }
        let members = try CATEModel.members(from: &reader, model)
        guard members.count == model.spec.auto.also.count else {
            throw BinaryReader.corrupt("a combination is not whole")
        }
        var alsoWeights: [[[Double]]] = []
        for _ in models {
            let numbers = try reader.readDoubles()
            // (Earlier versions weighed the members of all folds alike.)
            let ofFolds =
                numbers.count == members.count
                ? [[Double]](repeating: numbers, count: folds)
                : stride(from: 0, to: numbers.count, by: members.count).map {
                    Array(numbers[$0..<min($0 + members.count, numbers.count)])
                }
            guard ofFolds.count == folds, ofFolds.allSatisfy({ $0.count == members.count }),
                numbers.allSatisfy(\.isFinite)
            else { throw BinaryReader.corrupt("a combination is not whole") }
            alsoWeights.append(ofFolds)
        }
        also = members
        self.alsoWeights = alsoWeights
    }
}
