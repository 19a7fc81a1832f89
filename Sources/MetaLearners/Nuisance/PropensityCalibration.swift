import MetaLearnersCore

/// How the propensities of a fit were calibrated, and how those of new rows are.
///
/// With two arms the treated arm's probability is calibrated and the control's is the rest; with more each arm's is, one
/// against the rest, and they are scaled to add up to 1.
public struct PropensityCalibration: Sendable, Equatable {
    /// How.
    public let method: Calibration
    /// What it brought.
    public let report: CalibrationReport
    /// The curve of each arm; of the treated arm alone for two.
    let curves: [CalibrationCurve]

    /// Calibrated probabilities keep this distance from 0 and 1.
    static let margin = 1e-9

    /// Fits a calibration to what models predict out of fold, and calibrates the training rows: those of a fold by curves
    /// fitted to the rows of the other folds.
    ///
    /// Where several processes hold the rows, each of them does so for the rows of all: curves follow from the order of all
    /// predictions.
    ///
    /// - Parameter predicted: for each arm, for each row.
    /// - Returns: the calibration, and the training rows' propensities for each arm.
    /// - Throws: what the collective throws, `outOfMemory`.
    static func fitted(
        _ method: Calibration, _ predicted: [[Double]], _ dataset: CausalDataset, _ folds: FoldAssignment
    ) throws(MetaLearnersError) -> (calibration: PropensityCalibration, training: [[Double]]) {
        let rows = JudgedRows(
            predicted: predicted, arms: dataset.treatment.arms, weights: dataset.weights, folds: folds)
        guard let distribution = dataset.distribution else { return try fitted(method, rows, nil) }
        guard Int32(exactly: distribution.rowCount) != nil else {
            throw MetaLearnersError(
                .unsupported, at: "calibration",
                "takes the rows of all processes in each, which are \(distribution.rowCount) and more than 2147483647",
                remedy: "leave it out")
        }
        let (calibration, training) = try fitted(
            method, rows.ofAllProcesses(distribution), distribution)
        let own = distribution.firstRow..<distribution.firstRow + dataset.rowCount
        return (calibration, training.map { Array($0[own]) })
    }

    /// What a calibration is judged by.
    private struct JudgedRows {
        /// For each arm, for each row.
        let predicted: [[Double]]
        let arms: RowCodes
        let weights: [Double]?
        let folds: FoldAssignment

        /// The rows of all processes, in the order of ranks.
        func ofAllProcesses(_ distribution: DistributedRows) throws(MetaLearnersError) -> JudgedRows {
            func gathered(_ numbers: RowCodes) throws(MetaLearnersError) -> RowCodes {
                RowCodes(try distribution.gather(numbers.map(Double.init)).map { Int32($0) })
            }
            let all = try predicted.map { values throws(MetaLearnersError) in
                try distribution.gather(values)
            }
            return JudgedRows(
                predicted: all, arms: try gathered(arms),
                weights: try weights.map { weights throws(MetaLearnersError) in
                    try distribution.gather(weights)
                },
                folds: folds.isCrossFitted
                    ? try FoldAssignment(part: gathered(folds.folds), count: folds.count)
                    : .none(rowCount: distribution.rowCount))
        }
    }

    private static func fitted(
        _ method: Calibration, _ judged: JudgedRows, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> (calibration: PropensityCalibration, training: [[Double]]) {
        let (predicted, folds) = (judged.predicted, judged.folds)
        let everyRow = Array(0..<Int32(judged.arms.count))
        var training = predicted
        if folds.isCrossFitted {
            for fold in 0..<folds.count {
                let curves = try Self.curves(
                    method, judged, folds.trainingRows(everyRow, for: fold), distribution)
                let rows = folds.rows(in: fold)
                let held = apply(curves, predicted.map { values in rows.map { values[Int($0)] } })
                for arm in predicted.indices {
                    for (position, row) in rows.enumerated() { training[arm][Int(row)] = held[arm][position] }
                }
            }
        }
        let curves = try Self.curves(method, judged, everyRow, distribution)
        if !folds.isCrossFitted { training = apply(curves, predicted) }
        let report = try CalibrationReport(
            before: predicted, after: training, arms: judged.arms, weights: judged.weights
        ).agreed(distribution)
        return (PropensityCalibration(method: method, report: report, curves: curves), training)
    }

    /// The propensities of new rows.
    ///
    /// - Parameter predicted: for each arm, for each row.
    func calibrated(_ predicted: [[Double]]) -> [[Double]] { Self.apply(curves, predicted) }

    private static func curves(
        _ method: Calibration, _ judged: JudgedRows, _ rows: [Int32], _ distribution: DistributedRows?
    ) throws(MetaLearnersError) -> [CalibrationCurve] {
        let weights = rows.map { judged.weights?[Int($0)] ?? 1 }
        let arms = judged.predicted.count == 2 ? [1] : Array(judged.predicted.indices)
        return try arms.map { arm throws(MetaLearnersError) in
            let values = rows.map { judged.predicted[arm][Int($0)] }
            let labels = rows.map { judged.arms[Int($0)] == arm ? 1.0 : 0.0 }
            if method == .platt {
                return try CalibrationCurve.platt(values, labels, weights: weights).agreed(distribution)
            }
            // No share that is learnt from n rows is known to be nearer to 0 or 1 than half a row.
            let least = 0.5 / Double(max(rows.count, 1))
            return CalibrationCurve.isotonic(values, labels, weights: weights).clamped(to: least...1 - least)
        }
    }

    private static func apply(_ curves: [CalibrationCurve], _ predicted: [[Double]]) -> [[Double]] {
        func inside(_ value: Double) -> Double { min(max(value, margin), 1 - margin) }
        if curves.count == 1, predicted.count == 2 {
            let treated = predicted[1].map { inside(curves[0]($0)) }
            return [treated.map { 1 - $0 }, treated]
        }
        guard curves.count == predicted.count else { return predicted }
        var all = zip(curves, predicted).map { curve, values in values.map { inside(curve($0)) } }
        for row in (predicted.first ?? []).indices {
            let sum = all.reduce(0) { $0 + $1[row] }
            for arm in all.indices { all[arm][row] /= sum }
        }
        return all
    }
}

extension PropensityCalibration {
    /// Writes the calibration for the model archive; its report is in the manifest.
    func encode(to writer: inout BinaryWriter) {
        writer.write(method.rawValue)
        writer.write(UInt64(curves.count))
        for curve in curves {
            switch curve {
            case .isotonic(let predictions, let values):
                writer.write(predictions)
                writer.write(values)
            case .platt(let slope, let intercept): writer.write([slope, intercept])
            }
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    init(from reader: inout BinaryReader, report: CalibrationReport, armCount: Int) throws(MetaLearnersError)
    {
        let name = try reader.readString()
        guard let method = Calibration(rawValue: name), method != .none else {
            throw BinaryReader.corrupt("a calibration is of an unknown kind")
        }
        var curves: [CalibrationCurve] = []
        for _ in 0..<(try reader.readCount(elementSize: 8)) {
            let first = try reader.readDoubles()
            if method == .platt {
                guard first.count == 2 else { throw BinaryReader.corrupt("a calibration makes no sense") }
                curves.append(.platt(slope: first[0], intercept: first[1]))
            } else {
                let values = try reader.readDoubles()
                guard values.count == first.count, !values.isEmpty else {
                    throw BinaryReader.corrupt("a calibration makes no sense")
                }
                curves.append(.isotonic(predictions: first, values: values))
            }
        }
        guard curves.count == (armCount == 2 ? 1 : armCount) else {
            throw BinaryReader.corrupt("a calibration makes no sense")
        }
        self.init(method: method, report: report, curves: curves)
    }
}
