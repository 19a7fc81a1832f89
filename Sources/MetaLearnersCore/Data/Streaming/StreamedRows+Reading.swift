/// A batch of a later reading: the covariates of the rows that have an outcome.
package struct StreamedBatch {
    /// The number of the first row among the rows that have an outcome.
    package let firstRow: Int
    /// How many rows there are.
    package let rowCount: Int
    /// Numbers, and codes of categories, in the order of the covariates.
    package let columns: [StridedValues]
}

extension StreamedRows {
    /// Reads all rows once more, and checks that they are those of the first reading.
    ///
    /// - Parameters:
    ///   - number: which reading it is, for the progress: the first one is 0.
    ///   - count: how many there are.
    ///   - body: called with each batch that has rows with an outcome.
    /// - Returns: the fingerprint of each covariate.
    /// - Throws: `invalidData` for other rows, `cancelled`, and what `body` and the source throw.
    package func read(
        _ number: Int, of count: Int, _ body: (StreamedBatch) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) -> [UInt64] {
        var readings = covariates.map { CovariateReading(hash: $0.initialHash) }
        var sourceRow = 0
        var firstRow = 0
        var nextKept = 0
        let total = count * sourceRowCount
        report(number * sourceRowCount, of: total)
        try source.restart()
        while let batch = try Self.nextBatch(source, scheduler) {
            guard batch.rowCount > 0 else { continue }
            try Self.require(fields, of: batch, after: sourceRow)
            guard sourceRow + batch.rowCount <= sourceRowCount else {
                throw Self.otherRows("more rows than the \(sourceRowCount) of the first reading")
            }
            let kept = keptRows(of: batch, from: sourceRow, &nextKept)
            let shared = Lock(readings)
            let (covariates, missing) = (covariates, missing)
            context.concurrently(covariates.count) { index in
                let covariate = covariates[index]
                let before = shared.withLock { $0[index] }
                let after = before.adding(batch.columns[covariate.position], of: covariate, kept, missing)
                shared.withLock { $0[index] = after }
            }
            readings = shared.withLock { $0 }
            let columns = readings.compactMap(\.values)
            guard columns.count == covariates.count else {
                throw Self.otherRows("texts that no row had in the first reading")
            }
            let rows = kept?.count ?? batch.rowCount
            if rows > 0 { try body(StreamedBatch(firstRow: firstRow, rowCount: rows, columns: columns)) }
            sourceRow += batch.rowCount
            firstRow += rows
            report(number * sourceRowCount + sourceRow, of: total)
        }
        try context.checkCancellation()
        guard sourceRow == sourceRowCount else {
            throw Self.otherRows("\(sourceRow) rows where the first reading had \(sourceRowCount)")
        }
        for (covariate, reading) in zip(covariates, readings) {
            guard (covariate.levels == nil ? reading.hash : reading.firstHash) == covariate.knownHash else {
                throw Self.otherRows("other values in column '\(covariate.name)'")
            }
        }
        return readings.map(\.hash)
    }

    private func report(_ done: Int, of total: Int) {
        scheduler.reports.add("rows", done: done, total: total)
        scheduler.reports.deliver()
    }

    /// The rows of a batch that have an outcome; nil for all.
    private func keptRows(of batch: Table, from sourceRow: Int, _ next: inout Int) -> [Int32]? {
        guard let all = parts.sourceRows else { return nil }
        let first = next
        while next < all.count, Int(all[next]) < sourceRow + batch.rowCount { next += 1 }
        return all[first..<next].map { $0 - Int32(sourceRow) }
    }

    private static func otherRows(_ what: String) -> MetaLearnersError {
        MetaLearnersError(
            .invalidData, "when the rows were read again there were " + what,
            remedy: "give the same rows in the same order each time; they must not change while they are read"
        )
    }
}

/// How far a later reading of a covariate is.
private struct CovariateReading: Sendable {
    /// The fingerprint so far.
    var hash: UInt64
    /// Of a category, what tells the rows so far from others, by the codes of the first reading.
    var firstHash: UInt64 = 0
    /// The numbers or the codes of the last batch; nil where it had a text that was not there before.
    var values: StridedValues?

    /// The reading after another batch.
    func adding(
        _ column: Column, of covariate: StreamedRows.Covariate, _ kept: [Int32]?, _ missing: MissingValues
    ) -> CovariateReading {
        var next = self
        let column = column.levels == nil ? missing.marking(column) : column
        guard covariate.levels != nil else {
            let values = kept.map(column.values.selecting) ?? column.values
            next.values = values
            next.hash = CausalDataset.hash(values, hash)
            return next
        }
        let category = column.asCategorical()
        next.values = nil
        var places: [(first: Int32, now: Int32)] = []
        for level in category.levels ?? [] {
            guard let first = covariate.firstCodes[level], let now = covariate.codes[level] else {
                return next
            }
            places.append((first, now))
        }
        let codes = category.codes() ?? []
        next.firstHash = CausalDataset.hash(
            StridedValues(codes.map { $0 < 0 ? -1 : places[Int($0)].first }), firstHash)
        let all = codes.map { $0 < 0 ? -1 : places[Int($0)].now }
        let values = StridedValues(kept.map { rows in rows.map { all[Int($0)] } } ?? all)
        next.values = values
        next.hash = CausalDataset.hash(values, hash)
        return next
    }
}
