import Reporting
import CausalAnalysis

/// Average effects as a table for people.
enum AverageEffectTable {
    /// The table of `estimates`, which are all of one level.
    static func text(_ estimates: [AverageEffect], indent: Int = 0) -> String {
        let decimals = NumberText.decimals(for: estimates.flatMap { [$0.estimate, $0.lower, $0.upper] })
        let percent = NumberText.percent(estimates.first?.level ?? AverageEffect.standardLevel)
        var table = TextTable([
            ("arm", .left), ("control", .left), ("estimand", .left), ("estimate", .right),
            ("std. error", .right), ("\(percent) % interval", .right), ("p-value", .right),
        ])
        for effect in estimates {
            let number = { NumberText.fixed($0, decimals: decimals) }
            table.append([
                effect.outcomeClass.map { "\(effect.arm): \($0)" } ?? effect.arm, effect.control,
                effect.estimand.rawValue.uppercased(), number(effect.estimate),
                number(effect.stdError), "\(number(effect.lower)) to \(number(effect.upper))",
                NumberText.pValue(effect.pValue),
            ])
        }
        return table.text(indent: indent)
    }
}
