using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using QueueWorkers.Clocks;
using QueueWorkers.Operators.Keys;

namespace Orders.Infrastructure;

/// <summary>Makes, hashes and revokes the keys of API clients.</summary>
public sealed class ApiKeys(OrdersDbContext context)
{
    /// <summary>What every key begins with, so that a leaked one is recognised.</summary>
    public const string Prefix = "ok_";

    /// <summary>A new key: 256 random bits. Shown once; only its hash is stored.</summary>
    public static string NewKey() =>
        Prefix
        + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>The hash under which a key is stored and looked up.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Stores a key unless it is there: what an operator has changed about it since stays.</summary>
    public async Task EnsureAsync(string clientId, string key, string[] scopes, CancellationToken cancellationToken)
    {
        var hash = HashOf(key);
        if (await context.ApiKeys.AnyAsync(k => k.Hash == hash, cancellationToken))
            return;
        context.ApiKeys.Add(
            new ApiKey
            {
                Id = DatabaseClock.NewId(),
                ClientId = clientId,
                Hash = hash,
                Hint = KeyText.HintOf(key),
                Scopes = scopes,
                CreatedAt = DatabaseClock.UtcNow,
            }
        );
        await context.SaveChangesAsync(cancellationToken);
    }
}
