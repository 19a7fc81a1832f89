import CausalAnalysis
import Reporting
import MetaLearners
import MetaLearnersCore

/// The arms of a model as people read them: their sizes, their propensities, and what was done to these.
enum ArmsText {
    /// A table with one line per arm, then a line each on overlap and calibration.
    static func text(_ model: CATEModel) -> String {
        var table = TextTable([("arm", .left), ("rows", .right), ("share", .right), ("propensity", .right)])
        let total = Double(max(model.trainingRowCount, 1))
        for (arm, label) in model.armLabels.enumerated() {
            let judged = model.overlap.arms.first { $0.label == label }
            table.append([
                arm == 0 ? "\(label) (control)" : label, NumberText.grouped(model.armCounts[arm]),
                NumberText.fixed(Double(model.armCounts[arm]) / total * 100, decimals: 1) + " %",
                judged.map { range($0.range) } ?? "",
            ])
        }
        return "Arms\n" + table.text(indent: 2) + "  " + overlap(model.overlap) + "\n"
            + (model.calibration.map { "  " + calibration($0) + "\n" } ?? "")
    }

    private static func range(_ range: ClosedRange<Double>) -> String {
        let (low, high) = (probability(range.lowerBound), probability(range.upperBound))
        return low == high ? low : "\(low) to \(high)"
    }

    private static func probability(_ value: Double) -> String {
        value > 0 && value < 0.0005 ? "<0.001" : NumberText.fixed(value, decimals: 3)
    }

    private static func overlap(_ report: OverlapReport) -> String {
        guard !report.isKnown else { return "The propensities are known." }
        let bounds = report.bounds.map(NumberText.shortest).joined(separator: " to ")
        return "Propensities outside \(bounds): \(NumberText.counted(report.touched, "row")) "
            + "(\(report.policy.rawValue))."
    }

    private static func calibration(_ calibration: PropensityCalibration) -> String {
        let (before, after) = (calibration.report.before, calibration.report.after)
        func change(_ name: String, _ before: Double, _ after: Double) -> String {
            "\(name) \(NumberText.fixed(before, decimals: 4)) before, "
                + "\(NumberText.fixed(after, decimals: 4)) after"
        }
        return "Calibration (\(calibration.method.rawValue)): "
            + change("Brier score", before.brier, after.brier) + "; "
            + change("log loss", before.logLoss, after.logLoss) + "."
    }
}
