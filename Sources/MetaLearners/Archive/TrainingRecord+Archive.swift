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
                writer.write(folds.folds)
            }
        }
        writer.write(arms)
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
        let rowCount = foldsOfRepeats[0].count
        func require(_ condition: Bool, _ problem: String) throws(MetaLearnersError) {
            guard condition else { throw BinaryReader.corrupt(problem) }
        }
        func rows(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
            try require(values.count == rowCount, "a column has the wrong length")
            return values
        }
        let arms = try reader.readArray(Int32.self)
        try require(
            rowCount > 0 && arms.count == rowCount && arms.allSatisfy { $0 >= 0 && $0 < armCount },
            "the arms make no sense")
        let outcome = try rows(reader.readDoubles())
        let weights = try reader.readDoubles()
        let clusters = try reader.readArray(Int32.self)
        try require(weights.isEmpty || weights.count == rowCount, "the weights have the wrong length")
        try require(
            clusters.isEmpty
                || clusters.count == rowCount && clusters.allSatisfy { $0 >= 0 && $0 < rowCount },
            "the clusters make no sense")
        var nuisances = NuisanceEstimates(rowCount: rowCount, armCount: armCount)
        if try reader.readBool() {
            var propensities: [[Double]] = []
            for _ in 0..<armCount { propensities.append(try rows(reader.readDoubles())) }
            nuisances.propensities = propensities
        }
        for arm in 0..<armCount {
            let values = try reader.readDoubles()
            if !values.isEmpty { nuisances.armOutcomes[arm] = try rows(values) }
        }
        for arm in 0..<armCount {
            let values = try reader.readDoubles()
            if !values.isEmpty { nuisances.marginalOutcomes[arm] = try rows(values) }
        }
        for arm in 0..<armCount where !kind.effectClasses.isEmpty {
            var values: [[Double]] = []
            for _ in kind.effectClasses { values.append(try rows(reader.readDoubles())) }
            nuisances.classOutcomes[arm] = values
        }
        // Outcomes are there for every arm, or for none where averages were not wanted.
        try require(
            nuisances.propensities != nil && [0, armCount].contains(nuisances.armOutcomes.count),
            "the nuisances are incomplete")
        let overlap = try reader.readArray(UInt8.self)
        try require(overlap.isEmpty || overlap.count == rowCount, "the overlap has the wrong length")
        nuisances.hasOverlap = overlap.isEmpty ? nil : overlap.map { $0 == 1 }
        var effects: [[Double]] = []
        for _ in 0..<(armCount - 1) * kind.effectCount { effects.append(try rows(reader.readDoubles())) }
        var repeats: [FoldAssignment] = []
        do throws(MetaLearnersError) {
            for folds in foldsOfRepeats {
                guard folds.count == rowCount else { throw BinaryReader.corrupt("the folds make no sense") }
                repeats.append(try FoldAssignment(folds, count: foldCount))
            }
        } catch {
            throw BinaryReader.corrupt("the folds make no sense")
        }
        self.init(
            fingerprint: fingerprint, repeats: repeats, arms: arms, outcome: outcome,
            weights: weights.isEmpty ? nil : weights, clusters: clusters.isEmpty ? nil : clusters,
            nuisances: nuisances, effects: effects)
    }
}
