import MetaLearnersCore

extension TrainingRecord {
    private static var foldsInOneByte: Int { 256 }

    /// Writes the record for the model archive.
    func encode(to writer: inout BinaryWriter) {
        writer.write(fingerprint)
        writer.write(UInt32(folds.count))
        writer.write(UInt32(repeats.count))
        for folds in repeats {
            // A byte a row does for all folds that a spec can ask for; folds drawn elsewhere may be more.
            if folds.count <= Self.foldsInOneByte {
                writer.write(folds.folds.map { UInt8(truncatingIfNeeded: $0) })
            } else {
                writer.write(Array(folds.folds))
            }
        }
        writer.write(Array(arms))
        writer.write(outcome)
        writer.write(weights ?? [])
        writer.write(clusters ?? [])
        let columns: [[Int: [Double]]] = [nuisances.armOutcomes, nuisances.marginalOutcomes]
        writer.write(nuisances.propensities != nil)
        for values in nuisances.propensities ?? [] { writer.write(values) }
        for byArm in columns {
            for arm in 0..<nuisances.armCount { writer.write(byArm[arm] ?? []) }
        }
        for arm in 0..<nuisances.armCount {
            for values in nuisances.classOutcomes[arm] ?? [] { writer.write(values) }
        }
        writer.write(nuisances.hasOverlap.map { $0.map { UInt8($0 ? 1 : 0) } } ?? [])
        for values in effects { writer.write(values) }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    init(from reader: inout BinaryReader, armCount: Int, kind: Outcome.Kind = .continuous)
        throws(MetaLearnersError)
    {
        let fingerprint = try reader.read(UInt64.self)
        let foldCount = Int(try reader.read(UInt32.self))
        let repeatCount = try reader.read(UInt32.self)
        guard repeatCount >= 1 else { throw BinaryReader.corrupt("there are no folds") }
        var foldsOfRepeats: [[Int32]] = []
        for _ in 0..<repeatCount {
            foldsOfRepeats.append(
                foldCount <= Self.foldsInOneByte
                    ? try reader.readArray(UInt8.self).map(Int32.init) : try reader.readArray(Int32.self))
        }
        let arms = RowCodes(try reader.readArray(Int32.self))
        let outcome = try reader.readDoubles()
        let weights = try reader.readDoubles()
        let clusters = try reader.readArray(Int32.self)
        var nuisances = NuisanceEstimates(rowCount: outcome.count, armCount: armCount)
        if try reader.readBool() {
            var propensities: [[Double]] = []
            for _ in 0..<armCount { propensities.append(try reader.readDoubles()) }
            nuisances.propensities = propensities
        }
        for arm in 0..<armCount {
            let values = try reader.readDoubles()
            if !values.isEmpty { nuisances.armOutcomes[arm] = values }
        }
        for arm in 0..<armCount {
            let values = try reader.readDoubles()
            if !values.isEmpty { nuisances.marginalOutcomes[arm] = values }
        }
        for arm in 0..<armCount where !kind.effectClasses.isEmpty {
            var values: [[Double]] = []
            for _ in kind.effectClasses { values.append(try reader.readDoubles()) }
            nuisances.classOutcomes[arm] = values
        }
        let overlap = try reader.readArray(UInt8.self)
        nuisances.hasOverlap = overlap.isEmpty ? nil : overlap.map { $0 == 1 }
        var effects: [[Double]] = []
        for _ in 0..<(armCount - 1) * kind.effectCount { effects.append(try reader.readDoubles()) }
        var repeats: [FoldAssignment] = []
        do throws(MetaLearnersError) {
            for folds in foldsOfRepeats {
                repeats.append(try FoldAssignment(part: RowCodes(folds), count: foldCount))
            }
        } catch {
            throw BinaryReader.corrupt("the folds make no sense")
        }
        self.init(
            fingerprint: fingerprint, repeats: repeats, arms: arms, outcome: outcome,
            weights: weights.isEmpty ? nil : weights, clusters: clusters.isEmpty ? nil : clusters,
            nuisances: nuisances, effects: effects)
        try requireConsistent(armCount: armCount, kind)
    }

    /// Checks that the columns belong together.
    ///
    /// - Throws: `corruptModel`.
    func requireConsistent(armCount: Int, _ kind: Outcome.Kind) throws(MetaLearnersError) {
        let rowCount = folds.folds.count
        func require(_ condition: Bool, _ problem: String) throws(MetaLearnersError) {
            guard condition else { throw BinaryReader.corrupt(problem) }
        }
        try require(
            rowCount > 0 && arms.count == rowCount && arms.allSatisfy { $0 >= 0 && $0 < armCount },
            "the arms make no sense")
        try require(repeats.allSatisfy { $0.folds.count == rowCount }, "the folds make no sense")
        try require(weights.map { $0.count == rowCount } ?? true, "the weights have the wrong length")
        try require(
            clusters.map { $0.count == rowCount && $0.allSatisfy { $0 >= 0 } } ?? true,
            "the clusters make no sense")
        // Outcomes are there for every arm, or for none where averages were not wanted.
        try require(
            nuisances.propensities?.count == armCount && [0, armCount].contains(nuisances.armOutcomes.count),
            "the nuisances are incomplete")
        let columns =
            [outcome] + (nuisances.propensities ?? []) + Array(nuisances.armOutcomes.values)
            + Array(nuisances.marginalOutcomes.values) + nuisances.classOutcomes.values.joined() + effects
        try require(columns.allSatisfy { $0.count == rowCount }, "a column has the wrong length")
        try require(effects.count == (armCount - 1) * kind.effectCount, "the effects are incomplete")
        try require(
            nuisances.hasOverlap.map { $0.count == rowCount } ?? true, "the overlap has the wrong length")
    }
}
