namespace Orders.Infrastructure.Intake;

/// <summary>A post under an Idempotency-Key.</summary>
/// <param name="ClientId">The client; keys of different clients never meet.</param>
/// <param name="Key">The key.</param>
/// <param name="BodyHash">The hash of the body, see <see cref="PostedKey.BodyHash"/>.</param>
/// <param name="EarlierBodyHashes">The hashes of the same body that were stored by earlier builds, or with earlier
/// secrets.</param>
/// <param name="OrderId">The order that the post makes if nobody has used the key.</param>
public sealed record KeyUse(
    string ClientId,
    string Key,
    byte[] BodyHash,
    IReadOnlyList<byte[]> EarlierBodyHashes,
    Guid OrderId
)
{
    /// <summary>Whether a stored hash is one of the same body.</summary>
    internal bool IsOf(byte[] stored) =>
        stored.AsSpan().SequenceEqual(BodyHash) || EarlierBodyHashes.Any(e => stored.AsSpan().SequenceEqual(e));
}
