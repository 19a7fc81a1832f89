import MetaLearnersCore

/// Computes linear functions of features: one intercept and one coefficient a column for each output.
///
/// The encoding is folded into the coefficients, so that a number costs one multiplication and a category one
/// look-up however many levels it has. A row's result does not depend on the rows beside it, to the bit.
struct LinearScorer: Sendable {
    /// What a feature adds to the outputs.
    private enum Term: Sendable {
        /// (value·factor − center)·slope + present, or `missing`; for each output.
        case numeric(factor: Double, center: Double, slopes: [Double], present: [Double], missing: [Double])
        /// The same with the value brought into the training range, and, for each output, the columns of a curve.
        case curve(
            NumericEncoding, SplineEncoding, coefficients: [Double], present: [Double], missing: [Double])
        /// The effects of each indicator, outputs side by side; 0 where there is no indicator.
        case categorical(CategoricalEncoding, effects: [Double])
        /// The score of the level times a slope for each output.
        case scores(LevelScores, slopes: [Double])
    }

    private let terms: [(feature: Int, term: Term)]
    private let intercepts: [Double]
    /// The products, and, for each output, what each of them counts.
    private let products: (encoder: DesignEncoder, interactions: Interactions, slopes: [Double])?

    /// The number of outputs.
    var outputCount: Int { intercepts.count }

    /// - Parameters:
    ///   - coefficients: for each output, one per column of the design matrix.
    ///   - intercepts: one for each output.
    init(_ encoder: DesignEncoder, coefficients: [Double], intercepts: [Double]) {
        let outputs = intercepts.count
        var terms: [(feature: Int, term: Term)] = []
        var first = 0
        for (feature, source) in encoder.sources.enumerated() where source.width > 0 {
            let position = first
            func coefficient(_ output: Int, _ column: Int) -> Double {
                coefficients[output * encoder.width + position + column]
            }
            switch source {
            case .numeric(let encoding):
                let varies = encoding.spread > 0
                let slopes = (0..<outputs).map { varies ? coefficient($0, 0) / encoding.spread : 0 }
                var present = [Double](repeating: 0, count: outputs)
                var missing = present
                if encoding.missingSpread > 0 {
                    for output in 0..<outputs {
                        let effect = coefficient(output, varies ? 1 : 0) / encoding.missingUnit
                        present[output] = -effect * encoding.missingShare
                        missing[output] = effect * (1 - encoding.missingShare)
                    }
                }
                if let spline = encoding.spline {
                    let columns = spline.width + 1
                    var effects: [Double] = []
                    for output in 0..<outputs {
                        effects.append(slopes[output])
                        effects += (1..<columns).map { coefficient(output, encoding.linearWidth + $0 - 1) }
                    }
                    terms.append(
                        (
                            feature,
                            .curve(
                                encoding, spline, coefficients: effects, present: present, missing: missing)
                        ))
                    first += source.width
                    continue
                }
                terms.append(
                    (
                        feature,
                        .numeric(
                            factor: encoding.factor, center: encoding.center, slopes: slopes,
                            present: present,
                            missing: missing)
                    ))
            case .categorical(let encoding):
                var effects = [Double](repeating: 0, count: encoding.shares.count * outputs)
                for output in 0..<outputs {
                    // Indicators less their shares: every one of them counts in every row.
                    var shift = 0.0
                    for (indicator, place) in encoding.positions.enumerated() where place >= 0 {
                        let share = encoding.shares[indicator]
                        let effect = coefficient(output, Int(place)) / encoding.unit(of: share)
                        effects[indicator * outputs + output] = effect
                        shift += effect * share
                    }
                    for indicator in encoding.shares.indices {
                        effects[indicator * outputs + output] -= shift
                    }
                }
                terms.append((feature, .categorical(encoding, effects: effects)))
            }
            first += source.width
        }
        for score in encoder.scores {
            let slopes = (0..<outputs).map { coefficients[$0 * encoder.width + first] }
            terms.append((score.feature, .scores(score, slopes: slopes)))
            first += 1
        }
        self.terms = terms
        self.intercepts = intercepts
        products = encoder.interactions.map { interactions in
            let slopes = (0..<outputs).flatMap { output in
                (0..<interactions.width).map { coefficients[output * encoder.width + first + $0] }
            }
            return (encoder, interactions, slopes)
        }
    }

    /// The outputs of each of the named rows, one row after another.
    ///
    /// - Parameter features: columns of the kinds that the encoder learnt from.
    /// - Throws: `invalidArgument` for a row out of range, `numericalFailure` where a result overflows (an infinite
    ///   covariate, or one far beyond those trained on), `cancelled`.
    /// - Complexity: O(rows × features × outputs), spread over the threads of `context`.
    func scores(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        if let rows, let row = rows.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "there is no row \(row), of \(features.rowCount)")
        }
        let count = rows?.count ?? features.rowCount
        let (total, overflow) = count.multipliedReportingOverflow(by: outputCount)
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many predictions") }
        try context.checkCancellation()
        var scores = [Double](repeating: 0, count: total)
        let blockSize = 1024
        let columns = features.columns
        scores.withUnsafeMutableBufferPointer { scores in
            guard let start = scores.baseAddress else { return }
            // Each block writes to its own rows only.
            nonisolated(unsafe) let target = start
            context.concurrently((count + blockSize - 1) / blockSize) { block in
                let range = block * blockSize..<min((block + 1) * blockSize, count)
                score(columns, rows, range, target + range.lowerBound * outputCount)
            }
        }
        try context.checkCancellation()
        if let bad = scores.firstIndex(where: { !$0.isFinite }) {
            let place = bad / outputCount
            let row = rows.map { Int($0[place]) } ?? place
            throw MetaLearnersError(
                .numericalFailure, at: "row index \(row)", "the prediction overflows",
                remedy: "look for a covariate that is infinite or far outside the training data")
        }
        return scores
    }

    private func score(
        _ columns: [Column], _ rows: [Int32]?, _ range: Range<Int>, _ target: UnsafeMutablePointer<Double>
    ) {
        let outputs = outputCount
        // What absent numbers of sparse columns count for is the same in every row.
        var starts = intercepts
        for (feature, term) in terms where columns[feature].values.sparse != nil {
            guard case .numeric(_, let center, let slopes, let present, _) = term else { continue }
            for output in 0..<outputs { starts[output] += present[output] - center * slopes[output] }
        }
        for row in 0..<range.count {
            for output in 0..<outputs { target[row * outputs + output] = starts[output] }
        }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: range.count) { values in
            for (feature, term) in terms {
                let source = columns[feature].values
                if let sparse = source.sparse, case .numeric = term {
                    add(term, sparse, rows, range, to: target)
                    continue
                }
                if let rows {
                    rows.withUnsafeBufferPointer { rows in
                        source.gather(UnsafeBufferPointer(rebasing: rows[range]), to: values)
                    }
                } else {
                    source.copy(range, to: values)
                }
                add(term, UnsafeBufferPointer(values), to: target)
            }
            if let products { add(products, columns, rows, range, values, to: target) }
        }
    }

    /// Adds what the products of columns count for.
    private func add(
        _ products: (encoder: DesignEncoder, interactions: Interactions, slopes: [Double]),
        _ columns: [Column],
        _ rows: [Int32]?, _ range: Range<Int>, _ values: UnsafeMutableBufferPointer<Double>,
        to target: UnsafeMutablePointer<Double>
    ) {
        let (encoder, interactions, slopes) = products
        let outputs = outputCount
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(encoder.baseWidth * range.count, 1)) {
            design in
            guard let start = design.baseAddress else { return }
            var place = start
            for (column, source) in zip(columns, encoder.sources) where source.width > 0 {
                if let rows {
                    rows.withUnsafeBufferPointer { rows in
                        column.values.gather(UnsafeBufferPointer(rebasing: rows[range]), to: values)
                    }
                } else {
                    column.values.copy(range, to: values)
                }
                source.fill(UnsafeBufferPointer(values), to: place, stride: range.count)
                place += source.width * range.count
            }
            for score in encoder.scores {
                if let rows {
                    rows.withUnsafeBufferPointer { rows in
                        columns[score.feature].values.gather(
                            UnsafeBufferPointer(rebasing: rows[range]), to: values)
                    }
                } else {
                    columns[score.feature].values.copy(range, to: values)
                }
                for row in 0..<range.count { place[row] = score.value(of: values[row]) }
                place += range.count
            }
            for index in 0..<interactions.width {
                let left = start + Int(interactions.first[index]) * range.count
                let right = start + Int(interactions.second[index]) * range.count
                for output in 0..<outputs {
                    let slope = slopes[output * interactions.width + index]
                    guard slope != 0 else { continue }
                    let effect = slope / interactions.spreads[index]
                    for row in 0..<range.count {
                        target[row * outputs + output] +=
                            (left[row] * right[row] - interactions.centers[index]) * effect
                    }
                }
            }
        }
    }

    /// Adds what the stored numbers of a sparse column count for, beyond what 0 does.
    private func add(
        _ term: Term, _ entries: SparseEntries, _ rows: [Int32]?, _ range: Range<Int>,
        to target: UnsafeMutablePointer<Double>
    ) {
        guard case .numeric(let factor, _, let slopes, _, _) = term else { return }
        let outputs = outputCount
        for output in 0..<outputs where slopes[output] != 0 {
            let slope = slopes[output]
            if let rows {
                rows.withUnsafeBufferPointer { rows in
                    entries.forEach(of: UnsafeBufferPointer(rebasing: rows[range])) { position, value in
                        target[position * outputs + output] += value * factor * slope
                    }
                }
            } else {
                entries.forEach(in: range) { row, value in
                    target[(row - range.lowerBound) * outputs + output] += value * factor * slope
                }
            }
        }
    }

    private func add(
        _ term: Term, _ values: UnsafeBufferPointer<Double>, to target: UnsafeMutablePointer<Double>
    ) {
        let outputs = outputCount
        switch term {
        case .numeric(let factor, let center, let slopes, let present, let missing):
            for output in 0..<outputs {
                let (slope, present, missing) = (slopes[output], present[output], missing[output])
                for row in 0..<values.count {
                    let value = values[row]
                    target[row * outputs + output] +=
                        value.isNaN ? missing : (value * factor - center) * slope + present
                }
            }
        case .curve(let encoding, let spline, let coefficients, let present, let missing):
            let columns = spline.columns
            for row in 0..<values.count {
                let value = spline.clipped(values[row] * encoding.factor)
                for output in 0..<outputs {
                    guard !value.isNaN else {
                        target[row * outputs + output] += missing[output]
                        continue
                    }
                    let first = output * (columns.count + 1)
                    var sum = (value - encoding.center) * coefficients[first] + present[output]
                    for column in columns.indices {
                        let effect = coefficients[first + column + 1]
                        if effect != 0 { sum += effect * columns[column](value) }
                    }
                    target[row * outputs + output] += sum
                }
            }
        case .scores(let score, let slopes):
            for row in 0..<values.count {
                let value = score.value(of: values[row])
                for output in 0..<outputs { target[row * outputs + output] += value * slopes[output] }
            }
        case .categorical(let encoding, let effects):
            effects.withUnsafeBufferPointer { effects in
                for row in 0..<values.count {
                    let indicator = encoding.indicator(of: values[row])
                    guard indicator >= 0 else { continue }
                    for output in 0..<outputs {
                        target[row * outputs + output] += effects[indicator * outputs + output]
                    }
                }
            }
        }
    }
}
