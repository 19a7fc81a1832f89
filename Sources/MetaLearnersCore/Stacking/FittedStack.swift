/// What a stack became: the members' models, and how they become one.
struct FittedStack: FittedEstimator {
    let models: [any FittedEstimator]
    let weights: StackWeights

    var backendName: String { StackEstimator.backend.name }
    var outputCount: Int { weights.classes }

    /// Those of the members, behind their names.
    var warnings: [String] {
        models.flatMap { model in model.warnings.map { "\(model.backendName): \($0)" } }
    }

    /// The weights of the members, of classes those of their log-odds; and what is worth knowing of the members where there is anything.
    var summary: SpecObject {
        let functions = weights.functions.map { function in
            SpecValue.object([
                "intercept": .number(function.intercept),
                "weights": .array(function.weights.map { .number($0) }),
            ])
        }
        var summary: SpecObject = [
            "members": .array(models.map { .string($0.backendName) }), "functions": .array(functions),
        ]
        let ofMembers = models.map(\.summary)
        if ofMembers.contains(where: { !$0.isEmpty }) {
            summary["models"] = .array(ofMembers.map { .object($0) })
        }
        return summary
    }

    init(models: [any FittedEstimator], weights: StackWeights) {
        self.models = models
        self.weights = weights
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        var predictions: [[Double]] = []
        for model in models { predictions.append(try model.predict(features, rows: rows, context)) }
        return weights.combine(predictions, count: rows?.count ?? features.rowCount)
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(weights.classes))
        for function in weights.functions {
            writer.write(function.intercept)
            writer.write(function.weights)
        }
        writer.write(UInt64(models.count))
        for model in models { model.encodeNamed(to: &writer) }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a backend that the registry lacks.
    init(from reader: inout BinaryReader, _ registry: EstimatorRegistry) throws(MetaLearnersError) {
        let classes = try reader.readCount(elementSize: 1)
        guard classes > 0 else { throw BinaryReader.corrupt("a stack predicts nothing") }
        var functions: [StackWeights.Function] = []
        for _ in 0..<max(classes - 1, 1) {
            let intercept = try reader.readDouble()
            functions.append(StackWeights.Function(intercept: intercept, weights: try reader.readDoubles()))
        }
        let count = try reader.readCount(elementSize: 16)
        guard count > 0,
            functions.allSatisfy({ function in
                function.intercept.isFinite && function.weights.count == count
                    && function.weights.allSatisfy { $0.isFinite }
            })
        else { throw BinaryReader.corrupt("the weights of a stack make no sense") }
        var models: [any FittedEstimator] = []
        for _ in 0..<count {
            models.append(
                try reader.readNamed(outputCount: classes, excluding: StackEstimator.backend.name) {
                    name, inner throws(MetaLearnersError) in
                    try registry.decode(name, from: &inner)
                })
        }
        self.models = models
        weights = StackWeights(classes: classes, functions: functions)
    }
}

extension FittedStack: FormulaProviding {
    func formulas() throws(MetaLearnersError) -> [Formula] {
        var members: [[Formula]] = []
        for model in models { members.append(try model.formulas(of: "a member of the stack")) }
        return weights.formulas(members)
    }
}

extension FittedEstimator {
    /// The names of the backends that fitted it: of a stack those of its members.
    package var backendNames: [String] { (self as? FittedStack)?.models.map(\.backendName) ?? [backendName] }
}
