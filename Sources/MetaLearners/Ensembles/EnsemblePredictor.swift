import MetaLearnersCore

/// The effects of an ensemble: a constant and members, weighted; for each arm but the control.
struct EnsemblePredictor: EffectPredictor {
    static let tag = "ensemble"

    /// The members, without their training rows.
    let members: [CATEModel]
    /// For each arm but the control, a weight a member, and what is added.
    let stacks: [ConvexStack]

    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole> { [] }

    var foldCount: Int { 0 }

    func effects(_ input: PredictorInput, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]
    {
        var ofMembers: [[[Double]]] = []
        for member in members {
            var rows = try AlignedRows(input.features, member.schema, member.spec.data)
            ofMembers.append(try member.predictEffects(&rows, member.fitted, input.selection, context))
        }
        return stacks.enumerated().map { arm, stack in
            stack.combine(ofMembers.map { $0[arm] })
        }
    }

    func parts(_ labels: [String]) -> [ModelPart] {
        members.flatMap { member in
            member.nuisanceModels.map { ModelPart($0, name: Self.name(member) + $0.role.name(labels)) }
                + member.predictor.parts(labels).map { part in
                    ModelPart(
                        name: Self.name(member) + part.name, backend: part.backend,
                        foldModels: part.foldModels, hasFullModel: part.hasFullModel, bytes: part.bytes)
                }
        }
    }

    private static func name(_ member: CATEModel) -> String { member.spec.learner.rawValue + ": " }

    func warnings(_ labels: [String]) -> [String] {
        members.flatMap { member in member.warnings.map { Self.name(member) + $0 } }
    }

    /// For each arm, what each member counts, and the constant.
    func details(_ labels: [String]) -> SpecValue? {
        .object(
            SpecObject(
                zip(labels.dropFirst(), stacks).map { label, stack in
                    let entries: [SpecValue] = zip(members, stack.weights).map { member, weight in
                        ["learner": .string(member.spec.learner.rawValue), "weight": .number(weight)]
                    }
                    return (label, ["constant": .number(stack.intercept), "members": .array(entries)])
                }))
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(members.count))
        for member in members { writer.write(member.encoded()) }
        writer.write(UInt64(stacks.count))
        for stack in stacks {
            writer.write(stack.intercept)
            writer.write(stack.weights)
        }
    }
}

extension EnsemblePredictor {
    init(from reader: inout BinaryReader, _ model: PredictorArchive.Surroundings) throws(MetaLearnersError) {
        guard model.spec.learner == .ensemble else {
            throw BinaryReader.corrupt("an ensemble is within another model")
        }
        var members: [CATEModel] = []
        for _ in 0..<(try reader.readCount(elementSize: 8)) {
            let count = try reader.readCount(elementSize: 1)
            let member = try CATEModel(
                bytes: Array(try reader.readBytes(count)), registry: model.registry)
            guard member.spec.learner != .ensemble, member.armLabels.count == model.armCount else {
                throw BinaryReader.corrupt("a member of an ensemble makes no sense")
            }
            members.append(member)
        }
        var stacks: [ConvexStack] = []
        for _ in 0..<(try reader.readCount(elementSize: 16)) {
            let intercept = try reader.readDouble()
            let weights = try reader.readDoubles()
            guard intercept.isFinite, weights.allSatisfy(\.isFinite), weights.count == members.count else {
                throw BinaryReader.corrupt("the weights of an ensemble make no sense")
            }
            stacks.append(ConvexStack(weights: weights, intercept: intercept))
        }
        guard !members.isEmpty, stacks.count == model.armCount - 1 else {
            throw BinaryReader.corrupt("an ensemble is not whole")
        }
        self.members = members
        self.stacks = stacks
    }
}
