import MetaLearnersCore

/// The trees of a formula in one fold, with what they count beside it and in what the propensity is multiplied by.
struct FormulaTrees: Sendable {
    /// Trees and their weights.
    struct Term: Sendable {
        let source: EnsemblePart.Source
        let level: Double
        let share: Double
        let model: any FittedEstimator
    }

    let terms: [Term]

    /// The terms of `formula` whose weight is not 0, with the models of `fold`.
    init(
        _ formula: EnsembleFormula, _ models: [EnsemblePart.Source: [any FittedEstimator]], fold: Int
    ) {
        terms = EnsemblePart.Source.allCases.compactMap { source in
            let level = formula.level.trees[source] ?? 0
            let share = formula.share?.trees[source] ?? 0
            guard level != 0 || share != 0, let folds = models[source], folds.indices.contains(fold) else {
                return nil
            }
            return Term(source: source, level: level, share: share, model: folds[fold])
        }
    }

    /// Whether anything depends on the propensity.
    var usesShare: Bool { terms.contains { $0.share != 0 } }

    /// Adds the trees' predictions, times `factor`, to both lists.
    func add(
        to level: inout [Double], _ share: inout [Double], _ features: Table, rows: [Int32]?,
        times factor: Double, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        for term in terms {
            try context.checkCancellation()
            let values = try term.model.predict(input(of: term.source, features), rows: rows, context)
            for row in level.indices {
                level[row] += factor * term.level * values[row]
                share[row] += factor * term.share * values[row]
            }
        }
    }

    /// What a source's trees look at: the joint model's also at the treatment.
    private func input(of source: EnsemblePart.Source, _ features: Table) -> Table {
        switch source {
        case .jointControl, .jointArm:
            features.appending(
                Column(
                    "(treatment)",
                    StridedValues(repeating: source == .jointArm ? 1 : 0, count: features.rowCount)))
        case .control, .arm, .effect, .imputedControl, .imputedArm: features
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(terms.count))
        for term in terms {
            writer.write(term.source.rawValue)
            writer.write(term.level)
            writer.write(term.share)
            term.model.encodeNamed(to: &writer)
        }
    }

    init(from reader: inout BinaryReader, _ registry: EstimatorRegistry) throws(MetaLearnersError) {
        var terms: [Term] = []
        for _ in 0..<(try reader.readCount(elementSize: 33)) {
            let code = try reader.read(UInt8.self)
            let level = try reader.readDouble()
            let share = try reader.readDouble()
            guard let source = EnsemblePart.Source(rawValue: code), level.isFinite, share.isFinite else {
                throw BinaryReader.corrupt("a term of an ensemble makes no sense")
            }
            let model = try registry.decodeNamed(from: &reader, outputCount: 1)
            terms.append(Term(source: source, level: level, share: share, model: model))
        }
        self.terms = terms
    }
}

extension FittedEstimator {
    /// Writes the model behind the name of its backend.
    func encodeNamed(to writer: inout BinaryWriter) {
        writer.write(backendName)
        var inner = BinaryWriter()
        encode(to: &inner)
        writer.write(inner.bytes)
    }
}

extension EstimatorRegistry {
    /// Reads what `encodeNamed` wrote.
    ///
    /// - Throws: `corruptModel`, `unsupported`.
    func decodeNamed(from reader: inout BinaryReader, outputCount: Int) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        let backend = try reader.readString()
        let count = try reader.readCount(elementSize: 1)
        var inner = BinaryReader(try reader.readBytes(count))
        let model = try decode(backend, from: &inner)
        guard inner.remaining == 0, model.outputCount == outputCount else {
            throw BinaryReader.corrupt("a model of an ensemble makes no sense")
        }
        return model
    }
}
