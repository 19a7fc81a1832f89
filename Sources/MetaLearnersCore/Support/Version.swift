/// The version of the library.
public enum Version {
    /// The version, as in semantic versioning.
    public static let current = "0.9.0"
}
