import MetaLearnersCore

/// A debug learner: it memorises the values of its first column, and predicts 1 for those that it saw in
/// training and 0 for others. Fails on demand.
package struct MemorisingEstimator: BaseEstimator {
    /// What it is to do.
    package struct Spec: BaseEstimatorSpec {
        /// Fails with `numericalFailure` where this value is not among the first column's training values.
        package var mustHaveSeen = -1.0

        package init() {}

        package static let parameters: [Parameter<Spec>] = [
            .number("must_have_seen", \.mustHaveSeen, in: -1...1e9, "value to fail without; -1 for none")
        ]
    }

    package static let backend = BackendDescription(
        name: "memorising", summary: "remembers its rows", version: "1",
        capabilities: [
            .regression, .binary, .multiclass, .weights, .missingValues, .categoricals, .residualLoss,
        ])

    package let spec: Spec

    package init(_ spec: Spec) throws(MetaLearnersError) { self.spec = try spec.validated() }

    package func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try context.checkCancellation()
        guard let column = task.features.columns.first else {
            throw MetaLearnersError(.unsupported, at: "features", "there is no column to memorise")
        }
        let seen = Set(column.values.doubles(task.rows))
        guard spec.mustHaveSeen < 0 || seen.contains(spec.mustHaveSeen) else {
            throw MetaLearnersError(.numericalFailure, at: "x1", "never saw \(spec.mustHaveSeen)")
        }
        return Model(seen: seen, seed: task.seed, outputCount: task.outputCount)
    }

    package static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        let seen = try reader.readDoubles()
        let seed: UInt64 = try reader.read()
        guard let outputCount = Int(exactly: try reader.read(UInt64.self)), (1...1000).contains(outputCount)
        else {
            throw BinaryReader.corrupt("the number of outputs makes no sense")
        }
        return Model(seen: Set(seen), seed: seed, outputCount: outputCount)
    }

    /// The values that were seen.
    package struct Model: FittedEstimator {
        /// The values of the first column in training.
        package let seen: Set<Double>
        /// The seed of the task.
        package let seed: UInt64
        package let outputCount: Int
        package var backendName: String { MemorisingEstimator.backend.name }

        package func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
            throws(MetaLearnersError) -> [Double]
        {
            guard let column = features.columns.first else {
                throw MetaLearnersError(.invalidArgument, at: "features", "there is no column")
            }
            let values = rows.map(column.values.doubles) ?? column.values.doubles()
            return values.flatMap { value in
                [Double](repeating: seen.contains(value) ? 1 : 0, count: outputCount)
            }
        }

        package func encode(to writer: inout BinaryWriter) {
            writer.write(seen.sorted())
            writer.write(seed)
            writer.write(UInt64(outputCount))
        }
    }
}
