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
    /// - Parameter predicted: for each arm, for each row.
    /// - Returns: the calibration, and the training rows' propensities for each arm.
    static func fitted(
        _ method: Calibration, _ predicted: [[Double]], _ dataset: CausalDataset, _ folds: FoldAssignment
    ) -> (calibration: PropensityCalibration, training: [[Double]]) {
        let everyRow = Array(0..<Int32(dataset.rowCount))
        var training = predicted
        if folds.isCrossFitted {
            for fold in 0..<folds.count {
                let curves = Self.curves(method, predicted, dataset, folds.trainingRows(everyRow, for: fold))
                let rows = folds.rows(in: fold)
                let held = apply(curves, predicted.map { values in rows.map { values[Int($0)] } })
                for arm in predicted.indices {
                    for (position, row) in rows.enumerated() { training[arm][Int(row)] = held[arm][position] }
                }
            }
        }
        let curves = Self.curves(method, predicted, dataset, everyRow)
        if !folds.isCrossFitted { training = apply(curves, predicted) }
        let report = CalibrationReport(before: predicted, after: training, dataset)
        return (PropensityCalibration(method: method, report: report, curves: curves), training)
    }

    /// The propensities of new rows.
    ///
    /// - Parameter predicted: for each arm, for each row.
    func calibrated(_ predicted: [[Double]]) -> [[Double]] { Self.apply(curves, predicted) }

    private static func curves(
        _ method: Calibration, _ predicted: [[Double]], _ dataset: CausalDataset, _ rows: [Int32]
    ) -> [CalibrationCurve] {
        let weights = rows.map { dataset.weights?[Int($0)] ?? 1 }
        let judged = predicted.count == 2 ? [1] : Array(predicted.indices)
        return judged.map { arm in
            let values = rows.map { predicted[arm][Int($0)] }
            let labels = rows.map { dataset.treatment.arms[Int($0)] == arm ? 1.0 : 0.0 }
            if method == .platt { return .platt(values, labels, weights: weights) }
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
