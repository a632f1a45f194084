namespace Orders.Infrastructure.Intake;

/// <summary>A post under an Idempotency-Key.</summary>
/// <param name="ClientId">The client; keys of different clients never meet.</param>
/// <param name="Key">The key.</param>
/// <param name="BodyHash">The hash of the body, see <see cref="PostedKey.BodyHash"/>.</param>
/// <param name="EarlierBodyHash">The hash of the same body as earlier builds stored it; empty when there is none.</param>
/// <param name="OrderId">The order that the post makes if nobody has used the key.</param>
public sealed record KeyUse(string ClientId, string Key, byte[] BodyHash, byte[] EarlierBodyHash, Guid OrderId)
{
    /// <summary>Whether a stored hash is one of the same body.</summary>
    internal bool IsOf(ReadOnlySpan<byte> stored) =>
        stored.SequenceEqual(BodyHash) || (EarlierBodyHash.Length > 0 && stored.SequenceEqual(EarlierBodyHash));
}
