import MetaLearnersCore
import Reporting
import metalearners_cli

/// Small made-up experiments as CSV text.
enum Sample {
    /// A spec that needs little time.
    static let spec = """
        data: {treatment: w, outcome: y}
        learner: dr
        models: {outcome: ridge, propensity: logistic, effect: ridge}
        cross_fitting: {folds: 3}
        """

    /// Rows with a covariate, a group, an arm of `arms` and an outcome on which arm k has the effect 2k.
    static func csv(rows: Int = 240, arms: [String] = ["0", "1"], seed: UInt64 = 1) -> String {
        var stream = RandomStream(seed: seed)
        var text = "x,group,w,y\n"
        for _ in 0..<rows {
            let x = stream.uniform() * 2 - 1
            let arm = stream.integer(below: arms.count)
            let group = ["a", "b", "c"][stream.integer(below: 3)]
            text +=
                "\(x),\(group),\(ResultCSV.quoted(arms[arm])),\(x + 2 * Double(arm) + stream.uniform() - 0.5)\n"
        }
        return text
    }
}
