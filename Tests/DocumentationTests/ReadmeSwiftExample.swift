import MetaLearnersKit

/// The Swift example of the README: the lines of the body, which must stay the same as there.
func readmeExample(
    _ age: [Int], _ region: [String?], _ group: [String], _ score: [Double], _ newPeople: Table,
    _ path: String
) throws -> [Double] {
    // README
    let dataset = try CausalDataset(
        covariates: Table([Column("age", age), Column("region", categories: region)]),
        treatment: Treatment(group, control: "none"),
        outcome: Outcome(score))

    var spec = MetaLearnerSpec()
    spec.learner = .dr
    spec.models.outcome = .trees { $0.maxLeaves = 4 }
    spec.models.effect = RoleModelSpec("ridge", ["l2": 0.5])  // or by name, at run time

    let model = try MetaLearnerFitter(spec).fit(dataset)
    let effects = model.trainingEffects[0]  // one per row, out of fold
    let average = try model.averageEffects(.ate)[0]
    print("\(average.estimate), 95 % interval \(average.lower) to \(average.upper)")
    print("the greatest effect is \(effects.max() ?? 0)")

    try model.save(to: path)
    let loaded = try CATEModel(contentsOf: path)
    let forNewPeople = try loaded.predict(newPeople).effects[0]
    // README
    return forNewPeople
}
