// Checks a log by golang.org/x/mod alone: what a central published, as somebody in another country reads it.
//
// Usage: check FOLDER, which holds `case.json` and the log's tiles below `tile/`.
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Case is what Python wrote: octets are base64 in JSON.
type Case struct {
	LogKey        string     `json:"log_key"`
	CosigningKey  string     `json:"cosigning_key"`
	Checkpoints   []string   `json:"checkpoints"`
	Consistencies [][][]byte `json:"consistencies"`
	Proofs        []string   `json:"proofs"`
	Records       [][]byte   `json:"records"`
}

// require ends the program with one line when something does not hold.
func require(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

// openCheckpoint reads a checkpoint that the log signed and cosigned.
func openCheckpoint(text string, c *Case) tlog.Tree {
	verifier, err := note.NewVerifier(c.LogKey)
	require(err, "log key")
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	require(err, "checkpoint")
	checkCosignature(opened, c.CosigningKey)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatalf("checkpoint: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	require(err, "size")
	root, err := tlog.ParseHash(lines[2])
	require(err, "root")
	return tlog.Tree{N: size, Hash: root}
}

// checkCosignature verifies the timestamped signature, which x/mod does not know (C2SP tlog-cosignature).
func checkCosignature(opened *note.Note, vkey string) {
	parts := strings.SplitN(vkey, "+", 3)
	material, err := base64.StdEncoding.DecodeString(parts[2])
	require(err, "cosigning key")
	for _, signature := range opened.UnverifiedSigs {
		octets, err := base64.StdEncoding.DecodeString(signature.Base64)
		require(err, "cosignature")
		if fmt.Sprintf("%08x", signature.Hash) != parts[1] || signature.Name != parts[0] || len(octets) != 76 {
			continue
		}
		time := binary.BigEndian.Uint64(octets[4:12])
		message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, opened.Text)
		if material[0] == 4 && ed25519.Verify(ed25519.PublicKey(material[1:]), []byte(message), octets[12:]) {
			return
		}
	}
	log.Fatal("cosignature: none that holds")
}

// hashesOf reads hashes of 32 octets.
func hashesOf(octets [][]byte) []tlog.Hash {
	hashes := make([]tlog.Hash, len(octets))
	for i, each := range octets {
		if copy(hashes[i][:], each) != tlog.HashSize {
			log.Fatalf("a hash of %d octets", len(each))
		}
	}
	return hashes
}

// checkProof verifies a C2SP tlog-proof of a record's octets.
func checkProof(text string, record []byte, c *Case) (int64, tlog.Tree) {
	head, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		log.Fatalf("proof: %q", lines[0])
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	require(err, "index")
	var path tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		require(err, "path")
		path = append(path, hash)
	}
	tree := openCheckpoint(checkpoint, c)
	require(tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(record)), "inclusion")
	return index, tree
}

// folder reads tiles that lie where C2SP has them: the height, which x/mod names, is always 8.
type folder string

func (f folder) Height() int { return 8 }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		octets, err := os.ReadFile(filepath.Join(string(f), "tile", path))
		if err != nil {
			return nil, err
		}
		data = append(data, octets)
	}
	return data, nil
}

func main() {
	log.SetFlags(0)
	root := os.Args[1]
	octets, err := os.ReadFile(filepath.Join(root, "case.json"))
	require(err, "case")
	var c Case
	require(json.Unmarshal(octets, &c), "case")

	var newest tlog.Tree
	for i, text := range c.Checkpoints {
		tree := openCheckpoint(text, &c)
		if i > 0 {
			proof := tlog.TreeProof(hashesOf(c.Consistencies[i-1]))
			old := openCheckpoint(c.Checkpoints[i-1], &c)
			require(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash), "consistency")
		}
		newest = tree
	}
	reader := tlog.TileHashReader(newest, folder(root))
	for i, text := range c.Proofs {
		index, tree := checkProof(text, c.Records[i], &c)
		if tree != newest {
			log.Fatal("proof: over another tree")
		}
		// The same path once more, out of the tiles; the reader checks each tile against the root.
		path, err := tlog.ProveRecord(tree.N, index, reader)
		require(err, "tiles")
		require(tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(c.Records[i])), "tiles")
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		require(err, "leaf")
		leaf := tlog.RecordHash(c.Records[i])
		if !bytes.Equal(hashes[0][:], leaf[:]) {
			log.Fatal("leaf: another one")
		}
	}
	fmt.Printf("%d leaves, %d proofs\n", newest.N, len(c.Proofs))
}
