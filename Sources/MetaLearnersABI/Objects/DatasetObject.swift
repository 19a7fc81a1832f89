import MetaLearnersCore

/// What is behind `mtlr_dataset`.
final class DatasetObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_6461_7461  // "mtlrdata"
    static let typeName = "mtlr_dataset"

    let dataset: CausalDataset
    /// Which column played which part.
    let spec: DataSpec
    let armLabels: [CText]

    init(_ dataset: CausalDataset, _ spec: DataSpec) throws(MetaLearnersError) {
        self.dataset = dataset
        self.spec = spec
        armLabels = try CText.list(dataset.treatment.labels)
    }
}
