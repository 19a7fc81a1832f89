import MetaLearnersCore

/// The effects of an ensemble: a constant and members, weighted; for each arm but the control.
struct EnsemblePredictor: EffectPredictor {
    static let tag = "ensemble"

    /// The members, without their training rows.
    let members: [CATEModel]
    /// For each arm but the control, one weight per member, and what is added.
    let stacks: [ConvexStack]

    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole> { [] }

    var foldCount: Int? { 0 }

    var needsKnownPropensities: Bool { members.contains(where: \.needsKnownPropensities) }

    func effects(_ input: PredictorInput, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]
    {
        var ofMembers: [[[Double]]] = []
        for member in members {
            ofMembers.append(try member.effects(asMemberOf: input, context))
        }
        return stacks.enumerated().map { arm, stack in
            stack.combine(ofMembers.map { $0[arm] })
        }
    }

    func parts(_ labels: [String]) -> [ModelPart] { members.flatMap(\.memberParts) }

    func warnings(_ labels: [String]) -> [String] { members.flatMap(\.memberWarnings) }

    /// For each arm, the weight of each member, and the constant.
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
        CATEModel.encode(members: members, to: &writer)
        writer.write(UInt64(stacks.count))
        for stack in stacks {
            writer.write(stack.intercept)
            writer.write(stack.weights)
        }
    }
}

extension EnsemblePredictor {
    init(from reader: inout BinaryReader, _ model: PredictorSurroundings) throws(MetaLearnersError) {
        let members = try CATEModel.members(from: &reader, model)
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
