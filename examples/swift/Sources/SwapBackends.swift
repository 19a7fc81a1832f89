import MetaLearnersKit

/// Lists the base learners, or estimates effects with the one that is named on the command line.
@main
struct SwapBackends {
    static func main() {
        do throws(MetaLearnersError) {
            // A registry is a value: this one has a backend more, and nobody else's changes.
            let registry = Registry.default.registering(MedianSplit.self)
            let arguments = CommandLine.arguments.dropFirst()
            guard let name = arguments.first else {
                for backend in registry.estimators.descriptions {
                    print("\(backend.name): \(backend.summary) (\(backend.location))")
                }
                return
            }
            var parameters = SpecObject()
            for argument in arguments.dropFirst() {
                let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, let number = Double(parts[1]) else {
                    throw MetaLearnersError(.invalidArgument, at: argument, "is not like shrinkage=0.5")
                }
                parameters[parts[0]] = .number(number)
            }
            try estimate(EstimatorChoice(name, parameters), registry)
        } catch {
            print("error: \(error)")
        }
    }

    /// Fits the R-learner to a small trial whose effect is 1 below an age of 40 and 2 above.
    static func estimate(_ choice: EstimatorChoice, _ registry: Registry) throws(MetaLearnersError) {
        var stream = RandomStream(seed: 7)
        let age = (0..<2000).map { _ in 20 + 40 * stream.uniform() }
        let isCoached = (0..<2000).map { _ in stream.uniform() >= 0.5 }
        let score = age.indices.map {
            age[$0] / 10 + (isCoached[$0] ? age[$0] < 40 ? 1 : 2 : 0) + stream.uniform()
        }
        let dataset = try CausalDataset(
            covariates: Table([Column("age", age)]),
            treatment: Treatment(isCoached), outcome: Outcome(score), treatmentName: "coaching",
            outcomeName: "score")

        var spec = MetaLearnerSpec()
        spec.learner = .r
        spec.models.outcome = RoleModelSpec(choice)
        spec.models.effect = RoleModelSpec(choice)
        let model = try MetaLearnerFitter(spec, registry: registry).fit(dataset)
        let people = try model.predict(Table([Column("age", [30, 50])]))
        let average = try model.averageEffects(.ate)[0]
        func two(_ number: Double) -> Double { (number * 100).rounded() / 100 }
        print(
            "\(choice.backend): on average \(two(average.estimate)); at 30 \(two(people.effects[0][0]))",
            terminator: "")
        print(", at 50 \(two(people.effects[0][1]))")
    }
}
