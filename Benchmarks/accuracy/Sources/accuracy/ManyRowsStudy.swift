import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How the error of `auto` falls with the number of rows, beside that of the plain learners.
///
/// A line for each fit: law, rows, seed, learner, RMSE of the effect on fresh rows, its ratio to that of the best plain
/// learner, processor seconds of the fit, their ratio to those of `r`. A ratio is empty where there is nothing to
/// compare with.
struct ManyRowsStudy {
    /// How many fresh rows there are.
    private static let freshRows = 10_000

    var laws = ManyRowsLaw.allCases
    var rows = [2000, 20_000, 200_000]
    var seeds = [1]
    var learners = ["auto", "s", "t", "x", "r", "dr"]
    /// Parts of a spec under a name, with which each learner is fitted once more.
    var variants: [(name: String, parts: SpecValue)] = []
    /// Lists of further candidates under a name, with which `auto` is fitted once more (`auto.also`).
    var also: [(name: String, members: SpecValue)] = []
    var threads = 2

    private struct Fit {
        let learner: String
        let error: Double
        let seconds: Double
    }

    func run() throws {
        print("law,rows,seed,learner,rmse,rmse_to_best_plain,seconds,seconds_to_r")
        for rows in rows {
            for seed in seeds {
                for law in laws {
                    let fits = try fits(law, rows: rows, seed: seed)
                    let best = fits.filter { !$0.learner.hasPrefix("auto") }.map(\.error).min()
                    let time = fits.first { $0.learner == "r" }?.seconds
                    for fit in fits {
                        let fields = [
                            law.rawValue, "\(rows)", "\(seed)", fit.learner, Self.text(fit.error),
                            best.map { Self.text(fit.error / $0) } ?? "", Self.text(fit.seconds),
                            time.map { Self.text(fit.seconds / $0) } ?? "",
                        ]
                        print(fields.joined(separator: ","))
                    }
                    fflush(nil)
                }
            }
        }
    }

    private func fits(_ law: ManyRowsLaw, rows: Int, seed: Int) throws -> [Fit] {
        let seed = UInt64(seed)
        let training = try law.draw(rows: rows, seed: RandomStream.derivedSeed(seed, UInt64(rows), 0))
        let fresh = try law.draw(
            rows: Self.freshRows, seed: RandomStream.derivedSeed(seed, UInt64(rows), 1))
        let execution = ExecutionOptions(threads: threads)
        return try specs.compactMap { learner, spec in
            let fitter = try MetaLearnerFitter(MetaLearnerSpec(.object(spec)))
            let start = Self.processorSeconds()
            let model: CATEModel
            do {
                model = try fitter.fit(training.dataset, execution)
            } catch let error as MetaLearnersError {
                // A draw that cannot be fitted, such as one with hardly any treated row, ends no study.
                print("# left out: \(law.rawValue), \(rows) rows, \(learner): \(error)")
                return nil
            }
            let seconds = Self.processorSeconds() - start
            let effects = try model.predict(fresh.dataset.covariates, execution).effects[0]
            let sum = zip(effects, fresh.effects).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return Fit(
                learner: learner, error: (sum / Double(Self.freshRows)).squareRoot(), seconds: seconds)
        }
    }

    /// What is fitted, by name: `constant` is the average effect for everybody.
    private var specs: [(String, SpecObject)] {
        learners.flatMap { learner -> [(String, SpecObject)] in
            let isConstant = learner == "constant"
            var own: SpecObject = [
                "learner": .string(isConstant ? "dr" : learner), "keep_training": false,
            ]
            if isConstant { own["models"] = ["effect": "constant"] }
            guard !isConstant else { return [(learner, own)] }
            // (`auto` brings base learners of its own.)
            let further = variants.compactMap { variant -> (String, SpecObject)? in
                let parts = variant.parts.objectValue?.entries ?? []
                if learner == "auto", parts.contains(where: { $0.key == "models" }) { return nil }
                return (
                    "\(learner):\(variant.name)",
                    SpecObject((own.entries + parts).map { ($0.key, $0.value) })
                )
            }
            guard learner == "auto" else { return [(learner, own)] + further }
            return [(learner, own)] + further
                + also.map { also in
                    var spec = own
                    spec["auto"] = ["also": also.members]
                    return ("auto+\(also.name)", spec)
                }
        }
    }

    private static func text(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }

    /// Seconds that all threads of this process have computed: others on the machine do not count.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
